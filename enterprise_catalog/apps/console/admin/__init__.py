"""
The window: Django's admin over everything operators look at and change.

Every write goes through `operations`, so a rule holds here as it does in the API. Importing a module registers its
pages.
"""

from enterprise_catalog.apps.console.admin import catalogs, content, queries, refresh_runs, users

__all__ = ["catalogs", "content", "queries", "refresh_runs", "users"]
