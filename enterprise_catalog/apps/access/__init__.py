"""Authentication and permissions: who calls, and what they may do."""
