"""Builders for tests: rows, documents, callers and servers. The image does not contain them."""
