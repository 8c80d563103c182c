"""What Sphinx needs to know: `make docs` builds this directory, and a warning fails the build."""

import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent.parent))

from scripts import contract_table

project = "Enterprise catalog"
author = "The enterprise catalog authors"
html_title = project

exclude_patterns = ["_build"]
html_theme = "furo"
# Code in the text is console output, JSON or configuration, and says which.
highlight_language = "none"
nitpicky = True


def setup(app: Sphinx) -> None:
    """The pages of the contract become tables that name the tests of each requirement."""
    tested = contract_table.citations()

    def add_tests(_app: Sphinx, page: str, source: list[str]) -> None:
        if page.startswith("contract/"):
            source[0] = contract_table.with_tests(source[0], tested=tested)

    app.connect("source-read", add_tests)
