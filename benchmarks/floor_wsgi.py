"""Define the WSGI applications of the floors, which gunicorn starts by name."""

from django.core.wsgi import get_wsgi_application

from benchmarks import floors

framework = get_wsgi_application()
bare = floors.bare
