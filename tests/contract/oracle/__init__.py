"""A second implementation of what the service must answer, from the contract alone."""
