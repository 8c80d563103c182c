"""Read what is stored, for requests and exports."""
