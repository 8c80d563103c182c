"""Resolve requested queries to the rows that catalogs are attached to."""
