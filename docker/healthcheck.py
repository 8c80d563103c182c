"""The container's health: does the web process answer, and does it reach the database?"""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

import yaml

PORT = os.environ.get("PORT", "8160")


def allowed_host() -> str:
    """Django answers only to names it is allowed to have; the environment wins over the file, as in the settings."""
    names = os.environ.get("ALLOWED_HOSTS", "").split(",")
    if not names[0]:
        configuration = os.environ.get("ENTERPRISE_CATALOG_CFG")
        names = yaml.safe_load(Path(configuration).read_text()).get("ALLOWED_HOSTS", [""]) if configuration else names
    host: str = names[0].strip().lstrip(".")
    return "localhost" if host in ("", "*") else host


def main() -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/health/", headers={"Host": allowed_host()})
    try:
        with urllib.request.urlopen(request, timeout=4) as response:
            return 0 if response.status == 200 else 1
    except urllib.error.URLError as error:
        print(error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
