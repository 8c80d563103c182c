"""The `/api/v1/` surface: the URLs of the deployed service (SURF-1)."""
