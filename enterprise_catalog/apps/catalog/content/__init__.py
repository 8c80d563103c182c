"""Read content documents and build items from them. Pure functions."""
