from django.apps import AppConfig

from enterprise_catalog.apps.access.startup_checks import refuse_unsafe_settings, warn_of_insecure_cookies


class AccessConfig(AppConfig):
    name = "enterprise_catalog.apps.access"
    label = "access"
    verbose_name = "Roles"

    def ready(self) -> None:
        # The import connects its signal handlers.
        from enterprise_catalog.apps.access import password_sign_in  # noqa: F401

        refuse_unsafe_settings()
        warn_of_insecure_cookies()
