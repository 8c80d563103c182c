"""Explain where a content is, and why it is in a catalog or not (ADD-5)."""
