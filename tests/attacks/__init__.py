"""The attacks that docs/security.rst lists, against a whole service with production settings (`make attack`)."""
