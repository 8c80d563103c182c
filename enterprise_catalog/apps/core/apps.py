from django.apps import AppConfig
from django.conf import settings

from enterprise_catalog.apps.core.db import query_timing
from enterprise_catalog.apps.core.db.replica import REPLICA, reset_after_each_request


class CoreConfig(AppConfig):
    name = "enterprise_catalog.apps.core"
    label = "core"
    verbose_name = "Users"

    def ready(self) -> None:
        query_timing.time_connections()
        if REPLICA in settings.DATABASES:
            reset_after_each_request()
