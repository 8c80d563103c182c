"""
The window: Django's admin over everything operators look at and change.

Every write goes through `operations`, so a rule holds here as it does in the API. Importing a module registers its
pages.
"""

from enterprise_catalog.apps.console.admin import catalogs, contents, people, queries, runs

__all__ = ["catalogs", "contents", "people", "queries", "runs"]
