"""Settings of sign-in by password and of security headers. `base` imports all of them."""

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
# After so many failures for one name or from one address, no password is accepted for that name or from that address,
# for so many minutes. Attempts during that time do not lengthen it.
SIGN_IN_FAILURES = env.int("SIGN_IN_FAILURES", default=10)
SIGN_IN_LOCK_MINUTES = env.int("SIGN_IN_LOCK_MINUTES", default=15)
for _name in ("SIGN_IN_FAILURES", "SIGN_IN_LOCK_MINUTES"):
    if globals()[_name] < 1:
        raise ImproperlyConfigured(f"{_name} is {globals()[_name]}, and must be 1 at least.")
# Failures in a browser in which somebody signed in are counted separately for so long, so that others cannot lock that
# person out.
SIGN_IN_KNOWN_BROWSER_DAYS = 90

AXES_FAILURE_LIMIT = SIGN_IN_FAILURES
AXES_COOLOFF_TIME = timedelta(minutes=SIGN_IN_LOCK_MINUTES)
AXES_USERNAME_CALLABLE = "enterprise_catalog.apps.access.password_sign_in.counted_name"
AXES_CLIENT_IP_CALLABLE = "enterprise_catalog.apps.access.password_sign_in.counted_address"
AXES_LOCKOUT_PARAMETERS = "enterprise_catalog.apps.access.password_sign_in.locked_by"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# A success must not reset the count: whoever has an account could guess another password nine times, sign in, and go
# on.
AXES_RESET_ON_SUCCESS = False
# The log already records who signed in.
AXES_DISABLE_ACCESS_LOG = True
# Its rows hold typed names and addresses, so no page shows them.
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
SILENCED_SYSTEM_CHECKS = [
    # The sign-in page says that it is locked; a middleware would cost every request time.
    "axes.W002",
]

# --- Cookies without TLS (DEP-1) -------------------------------------------------------------------------------------

# Production: send cookies over plain http, too, for a try-out behind no TLS. Whoever sees the traffic can use them, so
# each start warns (`access.startup_checks`).
INSECURE_HTTP = env.bool("INSECURE_HTTP", default=False)

# --- Pages (SEC-3) ---------------------------------------------------------------------------------------------------

# Pages load scripts and styles only from this service and send forms only to it. Nothing may frame them.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        # Style sheets, and the link that says that there is no icon, hold small images.
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
# Browsers use https only for this long, also for subdomains if the second setting says so; 0: no header. It cannot be
# taken back before it expires, so whoever runs the proxy with the certificate decides.
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
