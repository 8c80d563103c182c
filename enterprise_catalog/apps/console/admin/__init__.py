"""
Pages of Django's admin for everything operators look at and change. Importing a module registers its pages.

Every write goes through `services`, so the same rules hold as in the API.
"""

from enterprise_catalog.apps.console.admin import catalogs, content, queries, refresh_runs, users

__all__ = ["catalogs", "content", "queries", "refresh_runs", "users"]
