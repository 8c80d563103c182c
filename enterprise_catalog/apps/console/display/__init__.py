"""Text and HTML that pages and commands show. Values in, text out; nothing here writes rows."""
