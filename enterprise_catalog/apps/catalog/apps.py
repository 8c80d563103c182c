from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "enterprise_catalog.apps.catalog"
    label = "catalog"
