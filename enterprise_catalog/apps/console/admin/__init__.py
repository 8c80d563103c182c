"""
The window: Django's admin over everything operators look at and change.

Every write goes through `operations`, so a rule holds here as it does in the API. Importing a module registers its
pages.
"""

from django.contrib import admin

from enterprise_catalog.apps.console.admin import catalogs, contents, people, queries, runs

__all__ = ["catalogs", "contents", "people", "queries", "runs"]

admin.site.site_header = admin.site.site_title = "Enterprise catalog"
admin.site.index_title = "What there is"
# There is no page at the root to lead to, and lists need the width.
admin.site.site_url = None
admin.site.enable_nav_sidebar = False
