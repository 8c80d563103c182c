from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "enterprise_catalog.apps.core"
    label = "core"
    verbose_name = "Users"
