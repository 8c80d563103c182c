"""The WSGI application that gunicorn serves."""

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

application = get_wsgi_application()
# Django would import every view with the first request, which would wait for them.
get_resolver().url_patterns  # noqa: B018
