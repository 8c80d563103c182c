"""Real-shaped answers of discovery and the LMS, for tests."""

import json
from pathlib import Path
from typing import Any


def sample(name: str) -> dict[str, Any]:
    """The answer stored as `<name>.json`, fresh for each caller."""
    return json.loads((Path(__file__).parent / f"{name}.json").read_text())
