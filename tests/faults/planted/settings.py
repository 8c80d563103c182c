"""Production's, and the application that fails."""

import os

if os.environ.get("PLANTED_IMPORT_ERROR"):
    import no_such_module  # noqa: F401

from enterprise_catalog.settings.production import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.planted"]  # noqa: F405
ROOT_URLCONF = "tests.faults.planted.urls"
