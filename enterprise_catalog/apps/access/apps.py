from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "enterprise_catalog.apps.access"
    label = "access"
