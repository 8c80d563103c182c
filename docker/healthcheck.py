"""The container's health: does the web process answer, and does it reach the database?"""

import os
import sys
import urllib.error
import urllib.request

PORT = os.environ.get("PORT", "8160")
# Django answers only to names it is allowed to have.
HOST = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".").replace("*", "")


def main() -> int:
    headers = {"Host": HOST} if HOST else {}
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/health/", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=4) as response:
            return 0 if response.status == 200 else 1
    except urllib.error.URLError as error:
        print(error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
