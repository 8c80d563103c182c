from django.apps import AppConfig
from django.conf import settings

from enterprise_catalog.apps.core import sql_time
from enterprise_catalog.apps.core.replica import REPLICA, follow_requests


class CoreConfig(AppConfig):
    name = "enterprise_catalog.apps.core"
    label = "core"
    verbose_name = "Users"

    def ready(self) -> None:
        sql_time.follow_connections()
        if REPLICA in settings.DATABASES:
            follow_requests()
