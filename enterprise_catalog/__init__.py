"""Answers "is this content in this catalog?" and "what is in this catalog?" for Open edX enterprise customers."""

from enterprise_catalog.celery import app as celery_app

__all__ = ["celery_app"]
