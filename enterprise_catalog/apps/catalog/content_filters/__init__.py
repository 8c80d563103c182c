"""Validate, hash and interpret content filters. Pure functions."""
