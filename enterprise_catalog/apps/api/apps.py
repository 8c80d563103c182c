from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "enterprise_catalog.apps.api"
    label = "api"
