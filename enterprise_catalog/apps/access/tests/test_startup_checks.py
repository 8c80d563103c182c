"""Start-up refuses settings that would let strangers in; it names the variable, not the value (AUTH-4, SEC-3)."""

import json
import secrets
from urllib.parse import quote

import environ
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from enterprise_catalog.apps.access.startup_checks import refuse_unsafe_settings, require_real, require_secret
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


PLACEHOLDERS = [
    *[
        "replace-me",
        "change-me-7f3a",
        "changeme",
        "secret",
        "Secret1",
        "my-secret",
        "password",
        "PASSWORD1!",
        "example",
    ],
    *["todo", "TODO!", "xxx", "XXXXXXXX", "fill in", "fill-in-the-secret", "...", "admin", "test", "123456789", "foo"],
    *["enterprise_catalog-backend-service-secret", "enterprise_catalog-sso-secret", "<password>", "edx"],
]


@pytest.mark.parametrize("value", PLACEHOLDERS)
@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "METRICS_TOKEN", "BACKEND_SERVICE_EDX_OAUTH2_SECRET", "SOCIAL_AUTH_EDX_OAUTH2_SECRET"]
)
def test_a_placeholder_secret_is_refused_by_name(settings, name, value):  # SEC-3
    settings.SOCIAL_AUTH_EDX_OAUTH2_KEY = "K7xw"
    settings.SOCIAL_AUTH_EDX_OAUTH2_SECRET = "Xk93nd"
    setattr(settings, name, value)
    with pytest.raises(ImproperlyConfigured, match=name) as refusal:
        refuse_unsafe_settings()
    # Words of the message itself aside.
    assert value not in str(refusal.value) or value in ("secret", "test", "...", "edx")


def addressed(settings, name: str, url: str) -> None:
    if name == "CELERY_BROKER_URL":
        settings.CELERY_BROKER_URL = url
    elif name == "CACHE_URL":
        settings.CACHES = {"default": environ.Env.cache_url_config(url)}
    else:
        alias = {"DATABASE_URL": "default", "DATABASE_REPLICA_URL": "replica"}[name]
        settings.DATABASES = settings.DATABASES | {alias: environ.Env.db_url_config(url)}


ADDRESSES = {
    "DATABASE_URL": "mysql://service:{}@db.example.org/catalog",
    "DATABASE_REPLICA_URL": "mysql://reader:{}@db.example.org/catalog",
    "CELERY_BROKER_URL": "redis://:{}@redis.example.org:6379/0",
    "CACHE_URL": "redis://:{}@redis.example.org:6379/1",
}


@pytest.mark.parametrize("value", PLACEHOLDERS)
@pytest.mark.parametrize("name", ADDRESSES)
def test_a_placeholder_in_an_address_is_refused_by_name(settings, name, value):  # SEC-3
    addressed(settings, name, ADDRESSES[name].format(quote(value, safe="")))
    with pytest.raises(ImproperlyConfigured, match=name):
        refuse_unsafe_settings()


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_real_password_in_an_address_passes(settings, name):
    addressed(settings, name, ADDRESSES[name].format("9vT%2FqLx0-word"))
    refuse_unsafe_settings()


def test_no_password_is_refused_where_none_is_asked_for(settings):
    settings.CELERY_BROKER_URL = "redis://redis.example.org:6379/0"
    refuse_unsafe_settings()


def test_a_password_that_is_the_users_name_is_refused(settings):  # SEC-3
    addressed(settings, "DATABASE_URL", "mysql://catalog9:catalog9@db.example.org/catalog")
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        refuse_unsafe_settings()


@pytest.mark.parametrize("broker", ["redis://a.example.org:6379/0;redis://:changeme@b.example.org:6379/0"])
def test_every_one_of_several_brokers_is_looked_at(settings, broker):  # SEC-3
    settings.CELERY_BROKER_URL = broker
    with pytest.raises(ImproperlyConfigured, match="CELERY_BROKER_URL"):
        refuse_unsafe_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "9fMBK6oXGhSOxrvkVhQnqyTzYd0DCT2x"),
        ("SECRET_KEY", "k" * 49),
        ("SECRET_KEY", "abcd" * 20),
        ("METRICS_TOKEN", "9fMBK6oXGhSOxrvkVhQnqyTzYd0DCT2"),
    ],
)
def test_a_short_secret_is_refused_by_name(settings, name, value):  # SEC-3
    setattr(settings, name, value)
    with pytest.raises(ImproperlyConfigured, match=name) as refusal:
        refuse_unsafe_settings()
    assert value not in str(refusal.value)


def test_secrets_of_the_least_length_pass(settings):  # SEC-3
    settings.SECRET_KEY = "abcde" * 10
    settings.METRICS_TOKEN = "9fMBK6oXGhSOxrvkVhQnqyTzYd0DCT2x"
    refuse_unsafe_settings()


@pytest.mark.parametrize(
    "hosts", [[], [""], ["*"], ["a.example.org", "*"], [" * "], ["*.org"], ["."], [".org"], [".."]]
)
def test_hosts_that_let_every_name_in_are_refused(settings, hosts):  # SEC-3
    settings.SERVES_LOOPBACK_ONLY = False
    settings.CELERY_BROKER_URL = "redis://redis.example.org"
    addressed(settings, "DATABASE_URL", "sqlite:////tmp/catalog.sqlite3")
    settings.ALLOWED_HOSTS = ["catalog.example.org", ".catalog.example.org", "10.0.0.7", "[::1]"]
    refuse_unsafe_settings()
    settings.ALLOWED_HOSTS = hosts
    with pytest.raises(ImproperlyConfigured, match="ALLOWED_HOSTS"):
        refuse_unsafe_settings()


@pytest.mark.parametrize("host", ["catalog.example.org", "*", ".", "10.0.0.7", "localhost.example.org", ""])
def test_settings_for_this_machine_refuse_every_other_name(settings, host):  # SEC-3
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    refuse_unsafe_settings()
    settings.ALLOWED_HOSTS = ["localhost", host]
    with pytest.raises(ImproperlyConfigured, match="ALLOWED_HOSTS"):
        refuse_unsafe_settings()


# Of edx-platform's settings for development (`devstack_key`) and for tests (`BTZ9HA6K`).
PUBLISHED = {
    "devstack_key": (
        "smKFSYowG6nNUAdeqH1jQQnH1PmIHphzBmwJ5vRf1vu48BUI5VcVtUWIPqzRK_LDSlZYh9D0YFL0ZTxIrlb6Tn3Xz7pYvpIAeYuQv3_H5p8t"
        "bz7Fb8r63c1828wXPITVTv8f7oxx5W3lFFgpFAyYMmROC4Ee9qG5T38LFe8_oAuFCEntimWxN9F3P-FJQy43TL7wG54WodgiM0EgzkeLr5K6"
        "cDnyckWjTuZbWI-4ffcTgTZsL_Kq1owa_J2ngEfxMCObnzGy5ZLcTUomo4rZLjghVpq6KZxfS6I1Vz79ZsMVUWEdXOYePCKKsrQG20ogQEkm"
        "Tf9FT_SouC6jPcHLXw"
    ),
    "BTZ9HA6K": (
        "o5cn3ljSRi6FaDEKTn0PS-oL9EFyv1pI7dRgffQLD1qf5D6sprmYfWWokSsrWig8u2y0HChSygR6Jn5KXBqQn6FpM0dDJLnWQDRXHLl3Ey1i"
        "PYgDSmOIsIGrV9ZyNCQwk03wAgWbfdBTig3QSDYD-sTNOs3pc4UD_PqAvU2nz_1SS2ZiOwOn5F6gulE1L0iE3KEUEvOIagfHNVhz0oxa_VRZ"
        "ILkzV-zr6R_TW1m97h4H8jXl_VJyQGyhMGGypuDrQ9_vaY_RLEulLCyY0INglHWQ7pckxBtI5q55-Vio2wgewe2_qYcGsnBGaDNbySAsvYcW"
        "RrqDiFyzrJYivodqTQ"
    ),
}


@pytest.mark.parametrize("kid", PUBLISHED)
def test_a_key_that_everybody_has_is_refused(settings, kid):  # SEC-3
    published = {"kty": "RSA", "kid": kid, "e": "AQAB", "n": PUBLISHED[kid]}
    ours = RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True)
    settings.JWT_AUTH = settings.JWT_AUTH | {"JWT_PUBLIC_SIGNING_JWK_SET": jwk_set(ours, published)}
    with pytest.raises(ImproperlyConfigured, match="JWT_PUBLIC_SIGNING_JWK_SET"):
        refuse_unsafe_settings()


def test_a_short_key_is_refused(settings):  # SEC-3
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    ours, weak = (RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) for key in (RSA_KEY, short))
    settings.JWT_AUTH = settings.JWT_AUTH | {"JWT_PUBLIC_SIGNING_JWK_SET": jwk_set(ours, weak)}
    with pytest.raises(ImproperlyConfigured, match=r"JWT_PUBLIC_SIGNING_JWK_SET.*2048"):
        refuse_unsafe_settings()


def test_what_is_made_at_random_passes():  # SEC-3
    """As .env.example makes them: a check that refuses one of a thousand would stop somebody's first start."""
    for _ in range(2000):
        for made in (secrets.token_urlsafe(48), secrets.token_hex(24), secrets.token_urlsafe(12)):
            assert require_secret("SECRET_KEY", made) == made


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


@pytest.mark.parametrize(
    "origin",
    [
        *["*", "null", "portal.example.org", "https://*.example.org", "https://portal.example.org/", "https://"],
        *["https://portal.example.org/app", "https://Portal.example.org", "https://portal.example.org:443"],
        *["http://portal.example.org:80", "ftp://portal.example.org", "https://portal.example.org "],
    ],
)
def test_what_is_no_origin_of_a_frontend_is_refused(settings, origin):  # AUTH-10
    settings.CORS_ALLOWED_ORIGINS = ["https://portal.example.org", origin]
    with pytest.raises(ImproperlyConfigured, match="CORS_ALLOWED_ORIGINS"):
        refuse_unsafe_settings()


@pytest.mark.parametrize("origin", ["https://portal.example.org", "http://localhost:1991", "https://[::1]:8443"])
def test_an_origin_of_a_frontend_passes(settings, origin):  # AUTH-10
    settings.CORS_ALLOWED_ORIGINS = [origin]
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
