"""The OpenAPI document: what all operations share, the service as a whole, and shared parameters and bounds."""
