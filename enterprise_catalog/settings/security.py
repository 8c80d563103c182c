"""Sign-in by password, and what browsers are told of the pages."""

from datetime import timedelta

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from enterprise_catalog.settings.environment import Environment

env = Environment()

# --- Passwords (SEC-2) -----------------------------------------------------------------------------------------------

# A password opens the admin and nothing else; callers of the API bring tokens.
AUTHENTICATION_BACKENDS = ["enterprise_catalog.apps.access.password_sign_in.PasswordBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# So many failures for one name or from one address, and for so long no password is taken for it or from there. An
# attempt while it lasts does not lengthen it.
SIGN_IN_FAILURES = env.int("SIGN_IN_FAILURES", default=10)
SIGN_IN_LOCK_MINUTES = env.int("SIGN_IN_LOCK_MINUTES", default=15)
for _name in ("SIGN_IN_FAILURES", "SIGN_IN_LOCK_MINUTES"):
    if globals()[_name] < 1:
        raise ImproperlyConfigured(f"{_name} is {globals()[_name]}, and must be 1 at least.")
# A browser in which somebody signed in is counted by itself for so long, so that strangers cannot lock them out of it.
SIGN_IN_KNOWN_BROWSER_DAYS = 90

AXES_FAILURE_LIMIT = SIGN_IN_FAILURES
AXES_COOLOFF_TIME = timedelta(minutes=SIGN_IN_LOCK_MINUTES)
AXES_USERNAME_CALLABLE = "enterprise_catalog.apps.access.password_sign_in.counted_name"
AXES_CLIENT_IP_CALLABLE = "enterprise_catalog.apps.access.password_sign_in.counted_address"
AXES_LOCKOUT_PARAMETERS = "enterprise_catalog.apps.access.password_sign_in.locked_by"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# A success must not forgive: whoever has an account would guess at another's nine times, sign in, and go on.
AXES_RESET_ON_SUCCESS = False
# No second record of who signed in; the log has it.
AXES_DISABLE_ACCESS_LOG = True
# Its rows hold names that were typed and addresses; no page shows them.
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
SILENCED_SYSTEM_CHECKS = [
    # The sign-in page itself says that it is locked; a middleware would be in the way of every request.
    "axes.W002",
]

# --- Pages (SEC-3) ---------------------------------------------------------------------------------------------------

# What a page may be made of, and where its forms may go: files of this service, and back to it. Nothing may frame it.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        # Small pictures stand in style sheets and in the link to no icon at all.
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
# For so long browsers come by https only, and to all names below as well; 0: it is not said. Not to be taken back
# before it is over, so it is for whoever runs the proxy that has the certificate to decide.
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
