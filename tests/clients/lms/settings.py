"""Settings of an LMS as far as edx-enterprise needs one: the package's test settings and the service's URL."""

import os

from tests.clients.lms import platform

platform.install()

from enterprise.settings.test import *  # noqa: E402, F403

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
ENTERPRISE_CATALOG_INTERNAL_ROOT_URL = os.environ["CATALOG_URL"]
# As edx-platform has it: who holds a role is a row of the package's table.
SYSTEM_WIDE_ROLE_CLASSES = ["enterprise.SystemWideEnterpriseUserRoleAssignment"]
