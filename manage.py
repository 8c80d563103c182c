#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_catalog.settings.local")
    # Somebody watches a command, and a migration may change a large table for longer than any other statement takes.
    os.environ.setdefault("DATABASE_READ_TIMEOUT_SECONDS", "0")
    execute_from_command_line(sys.argv)
