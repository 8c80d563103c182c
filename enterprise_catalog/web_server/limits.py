"""How long a client may take, and how much of it a web process keeps (SEC-1)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes. `gunicorn.conf.py` sets them and gives the reasons."""

    header_seconds: float
    body_seconds: float
    answer_seconds: float
    stall_seconds: float
    linger_seconds: float
    memory_bytes: int
    body_bytes: int
    unsent_bytes: int
