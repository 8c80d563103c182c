"""A Django application beside the service's own that fails in every way that is logged."""

import contextlib
import gc
import logging
import os
import sys
import threading
import traceback
import warnings

import structlog

log = structlog.get_logger(__name__)

# What no line may hold, handed in by whoever starts the process.
SECRETS = os.environ.get("PLANTED_SECRETS", "")


class PlantedFault(Exception):
    """Its subclasses say where it was raised, so that each may be counted."""


class InView(PlantedFault): ...


class InStream(PlantedFault): ...


class InThread(PlantedFault): ...


class InFinalizer(PlantedFault): ...


class InTask(PlantedFault): ...


class Printed(PlantedFault): ...


class Unfinalizable:
    def __del__(self) -> None:
        raise InFinalizer


def _raise(error: PlantedFault) -> None:
    raise error


def write_past_logging() -> None:
    """Print and log in every odd way that a library may."""
    print("printed: one line")
    print("printed: first of two\nprinted: second of two")
    print("printed: to stderr", file=sys.stderr)
    print("printed: to the first stdout", file=sys.__stdout__)
    sys.stdout.write("printed: without an end")
    sys.stdout.flush()
    sys.stdout.write(", and its end\n")
    with contextlib.suppress(Printed):
        try:
            raise Printed
        except Printed:
            traceback.print_exc()
            raise
    warnings.warn("warned: on\ntwo lines", UserWarning, stacklevel=1)
    thread = threading.Thread(target=_raise, args=(InThread(),))
    thread.start()
    thread.join()
    Unfinalizable()
    gc.collect()
    library = logging.getLogger("planted.library")
    library.warning("%d arguments do not fit", "these")
    library.warning("long %s", "x" * 100_000)
    library.warning("control \x00 characters, \u2028 and half a pair \ud800")
    log.warning(
        "long_line", value="x" * 100_000, many=["y" * 10] * 10_000, **{f"field_{n}": "z" * 900 for n in range(50)}
    )
