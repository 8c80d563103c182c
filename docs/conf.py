"""What Sphinx needs to know: `make docs` builds this directory, and a warning fails the build."""

project = "Enterprise catalog"
author = "The enterprise catalog authors"
html_title = project

exclude_patterns = ["_build"]
html_theme = "furo"
# Code in the text is console output, JSON or configuration, and says which.
highlight_language = "none"
nitpicky = True
