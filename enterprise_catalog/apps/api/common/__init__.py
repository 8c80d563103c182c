"""Share what the views of every API version do: order of checks, pages, filters, parameters, conditional answers."""
