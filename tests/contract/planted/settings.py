"""Production settings with the application that fails."""

import importlib
import os

if os.environ.get("PLANTED_IMPORT_ERROR"):
    importlib.import_module("no_such_module")

from enterprise_catalog.settings.production import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.contract.planted"]  # noqa: F405
ROOT_URLCONF = "tests.contract.planted.urls"
