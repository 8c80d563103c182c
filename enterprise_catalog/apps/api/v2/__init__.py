"""Views of `/api/v2/`: those of v1 that also show restricted runs, and reading catalogs (SURF-5)."""
