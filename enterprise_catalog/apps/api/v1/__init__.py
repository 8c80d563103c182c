"""Views of `/api/v1/`, the URLs of the deployed service (SURF-1)."""
