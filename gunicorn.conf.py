"""Configure gunicorn, which reads this file by itself when started in this directory.

WEB_BIND sets the addresses, WEB_CONCURRENCY the number of processes. Options of the command line win over this file.
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

# First, so that everything from here on is logged as JSON lines (`docs/operations.rst`).
process_output.redirect_output_to_log()
logger_class = gunicorn_logger.LineLogger
loglevel = os.environ.get("LOG_LEVEL") or "info"

# The variables below are read here, because Django's settings are not loaded yet.
env = Environment()

# The longest request the contract allows on GET: 1,000 ids of 255 characters, each escaped to three bytes (COM-16).
# gunicorn allows only 8,190 or no limit at all, and without a limit one client could fill the memory.
limit_request_line = 1024 * 1024
message.MAX_REQUEST_LINE = limit_request_line

# No header sets the path prefix or the scheme (COM-16). gunicorn would take SCRIPT_NAME from a proxy on this machine,
# and answer 500 if the path does not begin with it. Django reads the scheme (settings.production).
forwarder_headers = ""
secure_scheme_headers = {}

# What a client may use before it is cut off (SEC-1). None of these waits uses a thread.
BufferedWorker.limits = Limits(
    # From the first byte of a request to the end of its headers. A mobile phone needs one or two seconds.
    header_seconds=env.float("WEB_HEADER_SECONDS", default=10),
    # For a body: the largest has 5 MiB (COM-16) and needs 700 kbit/s.
    body_seconds=env.float("WEB_BODY_SECONDS", default=60),
    # For a finished answer: the largest catalogs have some 400 MB and need 4 Mbit/s.
    answer_seconds=env.float("WEB_ANSWER_SECONDS", default=900),
    # Without a single byte of a body or an answer.
    stall_seconds=env.float("WEB_STALL_SECONDS", default=20),
    # For the client to read the last answer before the connection is closed.
    linger_seconds=2.0,
    # Of a request or an answer in memory; the rest is in a temporary file. Most are far smaller.
    memory_bytes=64 * 1024,
    # gunicorn's own limits of the request line and of 100 header fields.
    header_bytes=limit_request_line + 100 * 8192,
    # A longer body is not read, because Django refuses the request by its length.
    body_bytes=DATA_UPLOAD_MAX_MEMORY_SIZE,
)
# What one process keeps in TMPDIR: answers that are read slowly, and large requests until they are answered. Beyond
# that, such answers are cut off and such requests refused; others are not affected.
BufferedWorker.disk_bytes = env.int("WEB_DISK_MEGABYTES", default=2048) * 1024 * 1024

worker_class = BufferedWorker
# The kernel would send files directly, past the buffers for slow clients.
sendfile = False
# Only the application uses threads. They are few, because they share one interpreter: more throughput needs more
# processes.
workers = env.int("WEB_CONCURRENCY", default=2)
threads = 4

# A worker that is stopped has this long to finish its requests.
graceful_timeout = 30

# gunicorn's control socket would be a file in the home directory, and nothing here uses it.
control_socket_disable = True

# The directory of the metrics that all workers share (`core.observability.metrics`). Each start creates one, unless the
# operator named one. A reload (HUP), which reads this file again, keeps it.
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
    Exclude all objects that exist now from garbage collection.

    They stay anyway, and scanning them again and again would add pauses to requests.
    """
    gc.collect()
    gc.freeze()
