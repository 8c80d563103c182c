from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "enterprise_catalog.apps.core"
    label = "core"
