"""Endpoints that monitoring systems read: freshness and metrics."""
