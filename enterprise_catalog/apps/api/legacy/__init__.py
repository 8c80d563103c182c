"""Views of the legacy API, at the URLs and with the answers of edx-enterprise (SURF-2)."""
