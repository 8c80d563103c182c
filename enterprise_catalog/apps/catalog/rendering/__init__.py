"""Render items as templates when they are stored, and fill templates when they are read."""
