from django.apps import AppConfig


class RefreshConfig(AppConfig):
    name = "enterprise_catalog.apps.refresh"
    label = "refresh"
