"""How the web processes listen. gunicorn reads this file by itself when started in this directory.

Number of processes: WEB_CONCURRENCY. Address: --bind. Everything else that a deployment may want to say differently can
be said on the command line, which wins over this file.
"""

import gc
import os
import shutil
import tempfile

from gunicorn.config import Bind
from gunicorn.http import message

from enterprise_catalog.apps.core.observability import gunicorn_logger, process_output
from enterprise_catalog.settings.environment import Environment
from enterprise_catalog.settings.limits import DATA_UPLOAD_MAX_MEMORY_SIZE
from enterprise_catalog.web_server.connection import Limits
from enterprise_catalog.web_server.worker import BufferedWorker

# First of all: whatever happens from here on is told in log lines (`docs/operations.rst`).
process_output.lines_only()
logger_class = gunicorn_logger.LineLogger
loglevel = os.environ.get("LOG_LEVEL") or "info"

# gunicorn has no names for what follows, and Django's settings are not read yet.
env = Environment()

# The longest request the contract allows on GET: 1,000 ids of 255 characters, each escaped to three bytes (COM-16).
# gunicorn knows only "at most 8,190" or "no limit at all", and the second lets one client fill the memory.
limit_request_line = 1024 * 1024
message.MAX_REQUEST_LINE = limit_request_line

# No header changes what the service believes of its own address: not the path prefix (gunicorn would take SCRIPT_NAME
# from a proxy on this machine), and not the scheme, which Django reads (settings.production).
forwarder_headers = ""
secure_scheme_headers = {}

# What a client may take and use before it is cut off (SEC-1). None of these waits takes a thread.
BufferedWorker.limits = Limits(
    # From the first byte of a request to the end of its headers: a mobile phone needs one or two.
    header_seconds=env.float("WEB_HEADER_SECONDS", default=10),
    # For the largest body (COM-16), 5 MiB: at 700 kbit/s.
    body_seconds=env.float("WEB_BODY_SECONDS", default=60),
    # For an answer, once it is made: the largest catalogs are some 400 MB, at 4 Mbit/s.
    answer_seconds=env.float("WEB_ANSWER_SECONDS", default=900),
    # Without a single byte, of a body or an answer.
    stall_seconds=env.float("WEB_STALL_SECONDS", default=20),
    # For reading the last answer of a connection that is closed.
    linger_seconds=2.0,
    # Of a request or an answer, before a temporary file is used: most are far smaller.
    memory_bytes=64 * 1024,
    # gunicorn's own limits of the request line and of 100 header fields.
    header_bytes=limit_request_line + 100 * 8192,
    # Of a longer body nothing is read: Django refuses the request by its length.
    body_bytes=DATA_UPLOAD_MAX_MEMORY_SIZE,
)
# What one process keeps in TMPDIR: of answers that are read slowly, and of large requests until they are answered.
# Beyond that such answers are broken off and such requests refused; others are not touched.
BufferedWorker.disk_bytes = env.int("WEB_DISK_MEGABYTES", default=2048) * 1024 * 1024

worker_class = BufferedWorker
# Files are answers like any other: the kernel would copy them past what is kept for a slow client.
sendfile = False
# Threads are for the application alone. Few, because they share one interpreter; more throughput comes from more
# processes.
workers = env.int("WEB_CONCURRENCY", default=2)
threads = 4

# Rolling restarts: a worker gets this long for the requests it is answering.
graceful_timeout = 30

# gunicorn's control socket would be a file in the home directory, and nothing here talks to it.
control_socket_disable = True

# Where all workers write what they count, so that whichever is asked adds all up (`core.observability.metrics`). Each
# start has a
# directory of its own, unless the operator named one; a reload (HUP), which reads this file again, keeps it.
_OWNER = "ENTERPRISE_CATALOG_METRICS_OWNER"
_is_named = "PROMETHEUS_MULTIPROC_DIR" in os.environ and _OWNER not in os.environ
if not _is_named and os.environ.get(_OWNER) != str(os.getpid()):
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="enterprise-catalog-metrics-")
    os.environ[_OWNER] = str(os.getpid())

# Addresses, separated by commas. The metrics have a port of their own.
bind = env.list("WEB_BIND", default=Bind.default)
_metrics_port = env.int("METRICS_PORT", default=0)
if _metrics_port:
    # Brackets are for IPv6; gunicorn removes them from other addresses.
    bind = [*bind, f"[{env.str('METRICS_HOST', default='127.0.0.1')}]:{_metrics_port}"]


def on_starting(server):
    """Refuse to start without the metrics port: a --bind on the command line replaces all addresses of this file."""
    ports = [address[1] for address in server.cfg.address if isinstance(address, tuple)]
    if _metrics_port and _metrics_port not in ports:
        server.halt("METRICS_PORT is set, so give the web address by WEB_BIND instead of --bind.", 1)


def on_exit(server):
    if os.environ.get(_OWNER) == str(os.getpid()):
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def post_worker_init(worker):
    """
    What was made until now stays: the collector need not look at it again and again. It was an eighth of the time of a
    page of 100 items, and its pauses hit whoever came just then.
    """
    gc.collect()
    gc.freeze()
