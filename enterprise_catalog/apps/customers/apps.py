from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "enterprise_catalog.apps.customers"
    label = "customers"
