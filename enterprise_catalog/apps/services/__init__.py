"""Services: one function for each thing a caller may request, with its transaction."""
