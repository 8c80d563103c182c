from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "enterprise_catalog.apps.console"
    label = "console"
