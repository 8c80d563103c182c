"""Use the service's settings with one view and no middleware, for the framework floor."""

from enterprise_catalog.settings.production import *

ROOT_URLCONF = "benchmarks.floor_urls"
MIDDLEWARE = []
