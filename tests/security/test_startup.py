"""
Web, worker and commands refuse to start with settings that would let strangers in, and name the variable.

Requirements: AUTH-4, SEC-3.
"""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.security.environments import JWK_SET, SECRET_KEY, SETTINGS, environment, run

CHECK = ["-c", "import django; django.setup()"]
PROCESSES = {
    "web": ["-c", "import enterprise_catalog.wsgi"],
    "worker": ["-m", "celery", "-A", "enterprise_catalog", "worker", "--pool", "solo"],
    "beat": ["-m", "celery", "-A", "enterprise_catalog", "beat"],
    "command": ["manage.py", "check"],
}
_SHORT_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
SHORT_JWK_SET = json.dumps({"keys": [RSAAlgorithm.to_jwk(_SHORT_KEY.public_key(), as_dict=True) | {"kid": "short"}]})
SYMMETRIC = json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_real_configuration_starts(settings, tmp_path):  # AUTH-4
    outcome = run(CHECK, environment(settings, directory=tmp_path))
    assert outcome.code == 0, outcome.errors


# Which values are unsafe is the check's own test; here every settings module and every variable must come by it.
EVERYWHERE = [("JWT_PUBLIC_SIGNING_JWK_SET", ""), ("JWT_AUDIENCE", "change-me")]
UNSAFE = [
    *[(settings, name, value) for settings in SETTINGS for name, value in EVERYWHERE],
    ("production", "JWT_PUBLIC_SIGNING_JWK_SET", SYMMETRIC),
    ("production", "SECRET_KEY", ""),
    ("production", "SECRET_KEY", "SET-ME-PLEASE"),
    ("production", "JWT_ISSUER", "set-me"),
    ("production", "BACKEND_SERVICE_EDX_OAUTH2_SECRET", "replace-me"),
    ("production", "SOCIAL_AUTH_EDX_OAUTH2_KEY", "replace-me"),
]


@pytest.mark.parametrize(("settings", "name", "value"), UNSAFE)
def test_an_unsafe_value_is_refused_by_name(settings, name, value, tmp_path):  # AUTH-4
    outcome = run(CHECK, environment(settings, directory=tmp_path) | {name: value})
    assert outcome.code != 0
    assert re.search(rf"ImproperlyConfigured: .*{name}", outcome.errors)


@pytest.mark.parametrize("process", PROCESSES)
def test_every_process_refuses(process, tmp_path):  # AUTH-4
    variables = environment("production", directory=tmp_path) | {"JWT_PUBLIC_SIGNING_JWK_SET": ""}
    outcome = run(PROCESSES[process], variables)
    assert outcome.code != 0
    assert "JWT_PUBLIC_SIGNING_JWK_SET is empty" in outcome.errors


# One value of each kind, each under the variable that an operator sets.
WEAK = {
    "short SECRET_KEY": {"SECRET_KEY": "9fMBK6oXGhSOxrvkVhQnqyTzYd0DCT2x"},
    "SECRET_KEY of few characters": {"SECRET_KEY": "abab" * 20},
    "short METRICS_TOKEN": {"METRICS_TOKEN": "9fMBK6oXGhSOxrvk"},
    "placeholder of a client": {"BACKEND_SERVICE_EDX_OAUTH2_SECRET": "enterprise_catalog-backend-service-secret"},
    "placeholder of the sign-in": {
        "SOCIAL_AUTH_EDX_OAUTH2_SECRET": "fill-in-please-5d1",
        "SOCIAL_AUTH_EDX_OAUTH2_KEY": "K7xw",
    },
    "placeholder of the database": {"DATABASE_URL": "mysql://catalog:changeme-5d1@127.0.0.1:1/catalog"},
    "placeholder of the broker": {"CELERY_BROKER_URL": "redis://:password-5d1@127.0.0.1:1/0"},
    "placeholder of the cache": {"CACHE_URL": "redis://:example-5d1@127.0.0.1:1/1"},
    "every host": {"ALLOWED_HOSTS": "catalog.campus.example,*"},
    "every host of a top-level domain": {"ALLOWED_HOSTS": ".example"},
    "short signing key": {"JWT_PUBLIC_SIGNING_JWK_SET": SHORT_JWK_SET},
}


@pytest.mark.parametrize("kind", WEAK)
def test_every_process_refuses_what_is_weak_by_name(kind, tmp_path):  # SEC-3
    name, value = next(iter(WEAK[kind].items()))
    variables = environment("production", directory=tmp_path) | WEAK[kind]
    processes = [command for process, command in PROCESSES.items() if process != "beat"]
    with ThreadPoolExecutor(len(processes)) as pool:
        outcomes = list(pool.map(lambda command: run(command, variables), processes))
    for outcome in outcomes:
        assert outcome.code != 0
        # A command says so to people, a service in a log line.
        said = rf'ImproperlyConfigured: .*{name}|"event":"start_refused".*{name}'
        assert re.search(said, outcome.errors), outcome.errors
        assert value not in outcome.errors + outcome.output


LOOPBACK_ONLY = [settings for settings in SETTINGS if settings != "production"]


@pytest.mark.parametrize("settings", LOOPBACK_ONLY)
@pytest.mark.parametrize(
    ("name", "value"), [("ALLOWED_HOSTS", "localhost,catalog.campus.example"), ("SECRET_KEY", "abab" * 20)]
)
def test_settings_for_this_machine_are_no_way_around_it(settings, name, value, tmp_path):  # SEC-3
    outcome = run(CHECK, environment(settings, directory=tmp_path) | {name: value})
    assert re.search(rf"ImproperlyConfigured: .*{name}", outcome.errors)


def test_settings_of_somebodys_own_are_strict_unless_they_say_otherwise(tmp_path):  # SEC-3
    """As a plugin makes them: a module that takes in `base`."""
    (tmp_path / "campus_settings.py").write_text("from enterprise_catalog.settings.base import *\n")
    variables = environment("production", directory=tmp_path) | {
        "DJANGO_SETTINGS_MODULE": "campus_settings",
        "PYTHONPATH": str(tmp_path),
    }
    assert run(CHECK, variables).code == 0
    for name, value in (("ALLOWED_HOSTS", "*"), ("ALLOWED_HOSTS", ""), ("CELERY_BROKER_URL", "memory://")):
        outcome = run(CHECK, variables | {name: value})
        assert re.search(rf"ImproperlyConfigured: .*{name}", outcome.errors), outcome.errors


ASK = [
    "-c",
    "import django; django.setup(); from django.test import Client;"
    "[print(Client(REMOTE_ADDR=peer, headers={'Host': 'localhost'}).get('/health/live/').status_code)"
    " for peer in ('127.0.0.1', '::1', '::ffff:127.0.0.1', '', '10.0.0.7', '2001:db8::7')]",
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_for_this_machine_answer_no_other(settings, tmp_path):  # SEC-3
    """Whatever address the server was told to listen at."""
    outcome = run(ASK, environment(settings, directory=tmp_path))
    others = "200" if settings == "production" else "403"
    assert outcome.output.split() == ["200", "200", "200", "200", others, others], outcome.errors


def test_a_local_run_without_its_keys_refuses(tmp_path):
    variables = environment("local", directory=tmp_path)
    (tmp_path / "sandbox" / "jwks.json").unlink()
    assert "JWT_PUBLIC_SIGNING_JWK_SET is empty" in run(CHECK, variables).errors


@pytest.mark.parametrize(
    "name",
    [
        *["ALLOWED_HOSTS", "DATABASE_URL", "CELERY_BROKER_URL", "DISCOVERY_SERVICE_URL", "LMS_ROOT_URL"],
        *["OAUTH2_PROVIDER_URL", "BACKEND_SERVICE_EDX_OAUTH2_KEY", "BACKEND_SERVICE_EDX_OAUTH2_SECRET"],
    ],
)
def test_production_has_no_defaults_that_work_by_accident(name, tmp_path):
    variables = environment("production", directory=tmp_path)
    del variables[name]
    assert f"ImproperlyConfigured: {name} is not set." in run(CHECK, variables).errors


@pytest.mark.parametrize(
    ("name", "value"), [("DATABASE_URL", "sqlite:///:memory:"), ("CELERY_BROKER_URL", "memory://")]
)
def test_production_refuses_what_one_process_alone_can_use(name, value, tmp_path):
    variables = environment("production", directory=tmp_path) | {name: value}
    assert f"ImproperlyConfigured: {name} names a" in run(CHECK, variables).errors


SHOW_DATABASES = [
    "-c",
    "from django.conf import settings as s; import json; replica = s.DATABASES.get('replica', {});"
    "print(json.dumps([sorted(s.DATABASES), s.DATABASE_ROUTERS, replica.get('HOST'), replica.get('OPTIONS')]))",
]
PRIMARY = "mysql://service:x@primary/catalog"


def test_a_replica_fails_sooner_than_the_primary(tmp_path):
    urls = {"DATABASE_URL": PRIMARY, "DATABASE_REPLICA_URL": "mysql://reader:x@replica/catalog"}
    outcome = run(SHOW_DATABASES, environment("production", directory=tmp_path) | urls)
    aliases, routers, host, options = json.loads(outcome.output)
    assert (aliases, host) == (["default", "replica"], "replica")
    assert routers == ["enterprise_catalog.apps.core.db.replica.ReplicaRouter"]
    assert (options["isolation_level"], options["read_timeout"]) == ("read committed", 5)


def test_without_a_replica_nothing_is_routed(tmp_path):
    shown = json.loads(run(SHOW_DATABASES, environment("production", directory=tmp_path)).output)
    assert shown == [["default"], [], None, None]


@pytest.mark.parametrize(
    ("primary", "replica"),
    [
        (PRIMARY, "sqlite:////tmp/copy.sqlite3"),
        (PRIMARY, "postgres://reader:x@replica/catalog"),
        ("sqlite:////tmp/catalog.sqlite3", "sqlite:////tmp/copy.sqlite3"),
    ],
)
def test_a_replica_that_cannot_be_one_is_refused_by_name(primary, replica, tmp_path):
    urls = {"DATABASE_URL": primary, "DATABASE_REPLICA_URL": replica}
    outcome = run(SHOW_DATABASES, environment("production", directory=tmp_path) | urls)
    assert "ImproperlyConfigured: DATABASE_REPLICA_URL" in outcome.errors


class TestConfigurationFile:
    """The YAML file that Open edX operators know."""

    SHOW = [
        "-c",
        "import django; django.setup(); from django.conf import settings as s; import json;"
        "print(json.dumps([s.SECRET_KEY, s.ALLOWED_HOSTS, s.JWT_AUTH['JWT_ISSUER'], s.JWT_AUTH['JWT_AUDIENCE'],"
        "s.DATABASES['default']['NAME'], s.DATABASES['default']['OPTIONS']['timeout'], s.GUARD_MIN_ITEMS]))",
    ]

    @pytest.fixture
    def variables(self, tmp_path: Path) -> dict[str, str]:
        """Return all variables that the file may set."""
        variables = environment("production", directory=tmp_path)
        elsewhere = {"PATH", "DJANGO_SETTINGS_MODULE", "DATABASE_URL", "JWT_ISSUER", "JWT_AUDIENCE", "LOCAL_DATA_DIR"}
        told = {name: value for name, value in variables.items() if name not in elsewhere}
        configuration = told | {
            "ALLOWED_HOSTS": ["localhost", "catalog.campus.example"],
            "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "yaml.sqlite3")}},
            "JWT_AUTH": {"JWT_ISSUERS": [{"ISSUER": "https://lms.campus.example/oauth2", "AUDIENCE": "campus"}]},
            "JWT_PUBLIC_SIGNING_JWK_SET": json.loads(JWK_SET),
            "GUARD_MIN_ITEMS": 25,
        }
        file = tmp_path / "catalog.yml"
        file.write_text(json.dumps(configuration))
        return {
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": variables["DJANGO_SETTINGS_MODULE"],
            "ENTERPRISE_CATALOG_CFG": str(file),
        }

    def test_it_configures_everything(self, variables, tmp_path):
        outcome = run(self.SHOW, variables)
        assert outcome.code == 0, outcome.errors
        assert json.loads(outcome.output) == [
            SECRET_KEY,
            ["localhost", "catalog.campus.example"],
            "https://lms.campus.example/oauth2",
            "campus",
            str(tmp_path / "yaml.sqlite3"),
            20,
            25,
        ]

    def test_the_environment_wins(self, variables, tmp_path):
        changed = {"JWT_AUDIENCE": "another", "DATABASE_URL": f"sqlite:///{tmp_path / 'env.sqlite3'}"}
        shown = json.loads(run(self.SHOW, variables | changed).output)
        assert (shown[3], shown[4]) == ("another", str(tmp_path / "env.sqlite3"))

    def test_it_may_name_a_replica(self, variables):
        file = Path(variables["ENTERPRISE_CATALOG_CFG"])
        told = json.loads(file.read_text())
        server = {"ENGINE": "django.db.backends.mysql", "NAME": "catalog", "HOST": "primary"}
        told["DATABASES"] = {"default": server, "replica": server | {"HOST": "replica"}}
        file.write_text(json.dumps(told))
        aliases, routers, host, options = json.loads(run(SHOW_DATABASES, variables).output)
        assert (aliases, len(routers), host, options["read_timeout"]) == (["default", "replica"], 1, "replica", 5)

    @pytest.mark.parametrize("content", ["- a list", "a: [", ""])
    def test_a_file_that_cannot_be_used_is_refused(self, variables, content):
        Path(variables["ENTERPRISE_CATALOG_CFG"]).write_text(content)
        assert "ImproperlyConfigured: ENTERPRISE_CATALOG_CFG" in run(self.SHOW, variables).errors

    def test_a_file_that_is_missing_is_refused(self, variables):
        outcome = run(self.SHOW, variables | {"ENTERPRISE_CATALOG_CFG": "/nowhere/catalog.yml"})
        assert "ImproperlyConfigured: ENTERPRISE_CATALOG_CFG cannot be read" in outcome.errors


def test_production_trusts_the_forwarded_scheme_and_never_redirects(tmp_path):
    show = [
        "-c",
        "import django; django.setup(); from django.test import Client;"
        "plain = Client(headers={'Host': 'localhost'}).get('/api/docs/');"
        "from django.conf import settings as s;"
        "print(plain.status_code, s.SECURE_PROXY_SSL_HEADER, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.DEBUG)",
    ]
    variables = environment("production", directory=tmp_path) | {"STATIC_ROOT": str(tmp_path / "static")}
    collected = run(["manage.py", "collectstatic", "--noinput", "--verbosity", "0"], variables)
    assert collected.code == 0, collected.errors
    shown = run(show, variables)
    assert shown.output == "200 ('HTTP_X_FORWARDED_PROTO', 'https') True True False\n", shown.errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DISCOVERY_PAGE_SIZE", "0"),
        ("DISCOVERY_REQUESTS_PER_HOUR", "-1"),
        ("DISCOVERY_DUE_SHARE", "-0.5"),
        ("REFRESH_JOIN_MINUTES", "-1"),
    ],
)
def test_a_number_that_would_stop_the_work_is_refused_by_name(name, value, tmp_path):
    variables = environment("production", directory=tmp_path) | {name: value}
    assert f"ImproperlyConfigured: {name} is {value}" in run(CHECK, variables).errors


@pytest.mark.parametrize("name", ["GUARD_MIN_ITEMS", "METRICS_PORT", "GUARD_MAX_REMOVED"])
def test_a_number_that_is_none_is_refused_by_name(name, tmp_path):
    outcome = run(CHECK, environment("production", directory=tmp_path) | {name: "ten"})
    assert f"ImproperlyConfigured: {name} cannot be read as" in outcome.errors


def test_shares_that_exceed_the_budget_are_refused_by_name(tmp_path):  # RUN-7
    shares = {"DISCOVERY_DUE_SHARE": "0.8", "DISCOVERY_ASKED_SHARE": "0.3"}
    variables = environment("production", directory=tmp_path) | shares
    assert "ImproperlyConfigured: DISCOVERY_DUE_SHARE and DISCOVERY_ASKED_SHARE" in run(CHECK, variables).errors
