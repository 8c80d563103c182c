"""Commands behind the Makefile. The service itself never imports them."""
