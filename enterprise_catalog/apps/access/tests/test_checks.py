"""Start-up refuses what would let strangers in, by name and without printing it (AUTH-4)."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from enterprise_catalog.apps.access.checks import refuse_unsafe_settings, require_real
from enterprise_catalog.apps.access.tokens import UnusableKeySet, signing_keys

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def jwk_set(*keys: dict) -> str:
    return json.dumps({"keys": list(keys)})


def test_the_settings_of_the_tests_are_safe():
    refuse_unsafe_settings()


@pytest.mark.parametrize("name", ["JWT_ISSUER", "JWT_AUDIENCE", "JWT_PUBLIC_SIGNING_JWK_SET"])
@pytest.mark.parametrize("value", ["", None])
def test_an_empty_token_setting_is_refused_by_name(settings, name, value):  # AUTH-4
    settings.JWT_AUTH = settings.JWT_AUTH | {name: value}
    with pytest.raises(ImproperlyConfigured, match=name):
        refuse_unsafe_settings()


@pytest.mark.parametrize("name", ["SECRET_KEY", "BACKEND_SERVICE_EDX_OAUTH2_SECRET"])
def test_a_placeholder_secret_is_refused_by_name(settings, name):
    setattr(settings, name, "replace-me")
    with pytest.raises(ImproperlyConfigured, match=name):
        refuse_unsafe_settings()


@pytest.mark.parametrize(
    "value",
    [
        *["SET-ME-PLEASE", "set_me", "change me", "changeme", "CHANGE-ME-1", "please_change", "replace_with_a_secret"],
        *["django-insecure-abc", "insecure-secret-key", "placeholder", "<issuer>", "your-audience", "secret", "None"],
        " ",
    ],
)
def test_placeholders_are_recognised(value):  # AUTH-4
    with pytest.raises(ImproperlyConfigured, match="JWT_AUDIENCE"):
        require_real("JWT_AUDIENCE", value)


@pytest.mark.parametrize("name", ["KEY", "SECRET", "URL_ROOT", "PUBLIC_URL_ROOT"])
def test_half_a_client_for_signing_in_is_refused_by_name(settings, name):
    for part in ("KEY", "SECRET"):
        setattr(settings, f"SOCIAL_AUTH_EDX_OAUTH2_{part}", "K7xw")
    refuse_unsafe_settings()
    setattr(settings, f"SOCIAL_AUTH_EDX_OAUTH2_{name}", "replace-me")
    with pytest.raises(ImproperlyConfigured, match=f"SOCIAL_AUTH_EDX_OAUTH2_{name}"):
        refuse_unsafe_settings()


def test_a_refusal_does_not_print_the_value():
    with pytest.raises(ImproperlyConfigured) as refusal:
        require_real("SECRET_KEY", "change-me-7f3a")
    assert "7f3a" not in str(refusal.value)


@pytest.mark.parametrize("value", ["openedx", "https://lms.example.org/oauth2", "lms-key", "asset-memory", "K7#x!"])
def test_real_values_pass(value):
    require_real("JWT_AUDIENCE", value)


@pytest.mark.parametrize(
    "unusable",
    [
        "{",
        "[]",
        "null",
        '"text"',
        "{}",
        jwk_set(),
        jwk_set({"kty": "oct", "k": "c2VjcmV0"}),
        jwk_set(RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), {"kty": "oct", "k": "c2VjcmV0"}),
        jwk_set(RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True)),
        jwk_set(ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True)),
    ],
)
def test_a_key_set_that_cannot_verify_is_refused(unusable):  # AUTH-4
    with pytest.raises(UnusableKeySet):
        signing_keys(unusable)


def test_a_public_key_set_is_read():
    assert len(signing_keys(settings.JWT_AUTH["JWT_PUBLIC_SIGNING_JWK_SET"])) == 1
