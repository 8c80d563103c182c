from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ConsoleConfig(AppConfig):
    name = "enterprise_catalog.apps.console"
    label = "console"


class ConsoleAdminConfig(admin_apps.AdminConfig):
    """Django's admin with this service's home and pages; stands in INSTALLED_APPS in its place."""

    default = False
    default_site = "enterprise_catalog.apps.console.site.ConsoleSite"
