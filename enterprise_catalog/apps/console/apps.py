from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ConsoleConfig(AppConfig):
    name = "enterprise_catalog.apps.console"
    label = "console"


class ConsoleAdminConfig(admin_apps.AdminConfig):
    """Replace Django's admin app in INSTALLED_APPS, so that the default site is ours."""

    default = False
    default_site = "enterprise_catalog.apps.console.site.ConsoleSite"
