"""The store of catalogs: queries, members, content, and the reading, writing and rendering of these."""
