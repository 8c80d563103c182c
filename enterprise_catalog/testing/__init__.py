"""Builders for every test: rows, documents, callers and servers. Not part of the image."""
