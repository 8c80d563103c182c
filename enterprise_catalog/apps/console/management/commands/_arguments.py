"""Parse arguments that several commands take."""

import argparse
from uuid import UUID

from enterprise_catalog.apps.core.uuids import parse_uuid


def uuid_argument(text: str) -> UUID:
    uuid = parse_uuid(text)
    if uuid is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a uuid")
    return uuid
