"""The WSGI application that gunicorn serves."""

from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from enterprise_catalog.apps.core.middleware.script_name import at_the_root

application: Any = at_the_root(get_wsgi_application())
# Import all views now, which Django would otherwise do during the first request.
get_resolver().url_patterns  # noqa: B018

if settings.METRICS_PORT:
    from enterprise_catalog.apps.console.monitoring.metrics_endpoint import all_metrics_outside_of_requests
    from enterprise_catalog.apps.core.observability.metrics_server import route_by_port

    application = route_by_port(application, port=settings.METRICS_PORT, text=all_metrics_outside_of_requests)
