"""Admin site, health and metrics pages, and management commands. They call services and add no rules."""
