"""Run a sandbox in the foreground until SIGTERM or Ctrl-C: `python -m enterprise_catalog.sandbox`."""

import argparse
import signal
import sys
from pathlib import Path
from threading import Event

from enterprise_catalog.sandbox.config import DEFAULT_AUDIENCE, DEFAULT_HOST, DEFAULT_ISSUER, DEFAULT_PORT
from enterprise_catalog.sandbox.sandbox import Sandbox


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m enterprise_catalog.sandbox", description=__doc__)
    parser.add_argument("--host", default=DEFAULT_HOST)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--data-dir", type=Path, help="where the signing key and jwks.json are kept")
    parser.add_argument("--courses", type=int, default=1500)
    parser.add_argument("--programs", type=int, default=60)
    parser.add_argument("--pathways", type=int, default=10)
    parser.add_argument("--seed", default="sandbox")
    parser.add_argument("--issuer", default=DEFAULT_ISSUER)
    parser.add_argument("--audience", default=DEFAULT_AUDIENCE)
    parser.add_argument("--token-seconds", type=int, default=3600)
    parser.add_argument(
        "--redirect-uri",
        dest="redirect_uris",
        action="append",
        default=[],
        help="where people may be sent back to once they have signed in; may be repeated",
    )
    parser.add_argument("--requests-per-hour", type=int, help="throttle discovery (off by default)")
    parser.add_argument("--without-search-v2", dest="search_v2", action="store_false")
    parser.add_argument("--odd-documents", action="store_true", help="add documents no service can store")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    options = vars(parse(arguments))
    sandbox = Sandbox(**options)
    try:
        sandbox.start()
    except OSError as error:
        print(f"The sandbox cannot listen on {options['host']}:{options['port']}: {error.strerror}", file=sys.stderr)
        return 1
    print(
        f"Sandbox listens on {sandbox.url} ({options['courses']} courses, {options['programs']} programs)", flush=True
    )
    stop.wait()
    sandbox.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
