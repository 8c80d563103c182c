"""What the views of every API version share: order of checks, pages, filters, parameters, conditional answers."""
