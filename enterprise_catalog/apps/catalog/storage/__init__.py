"""Write contents, overrides and visibilities, and check that they agree."""
