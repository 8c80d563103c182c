"""The service's settings, with one view and no middleware."""

from enterprise_catalog.settings.production import *

ROOT_URLCONF = "benchmarks.floor_urls"
MIDDLEWARE = []
