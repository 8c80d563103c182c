"""
The admin site: Django's, with a home of its own and the pages that belong to no single model.

A page is a function in `console.pages` that takes the request and returns its template's name and context; everything
around it (sign-in, header, permissions of the index) is Django's.
"""

from django.contrib import admin


class ConsoleSite(admin.AdminSite):
    site_header = site_title = "Enterprise catalog"
    index_title = "What there is"
    # There is no page at the root to lead to, and lists need the width.
    site_url = None
    enable_nav_sidebar = False
