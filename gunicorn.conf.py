"""How the web processes listen. gunicorn reads this file by itself when started in this directory.

Number of processes: WEB_CONCURRENCY. Address: --bind. Everything else that a deployment may want to say differently can
be said on the command line, which wins over this file.
"""

import gc
import os
import shutil
import tempfile

from gunicorn.config import Config
from gunicorn.http import message
from gunicorn.workers.gthread import ThreadWorker

# The longest request the contract allows on GET: 1,000 ids of 255 characters, each escaped to three bytes (COM-16).
# gunicorn knows only "at most 8,190" or "no limit at all", and the second lets one client fill the memory.
limit_request_line = 1024 * 1024
message.MAX_REQUEST_LINE = limit_request_line


class FairThreadWorker(ThreadWorker):
    """
    Takes a new connection only while it has a thread for it. gunicorn's own takes whatever comes: of eight connections
    opened at once, one of two processes often got all (9 of 28 times), and answered little more than half as many.
    """

    def set_accept_enabled(self, enabled):
        busy = self.nr_conns - len(self.keepalived_conns) - len(self.pending_conns)
        super().set_accept_enabled(enabled and busy < self.cfg.threads)

    def enqueue_req(self, conn):
        super().enqueue_req(conn)
        self.set_accept_enabled(self._accepting)


# A thread per waiting connection, so that a slow client holds a thread and not a process. Few, because they share one
# interpreter; more throughput comes from more processes.
worker_class = FairThreadWorker
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4

# Rolling restarts: a worker gets this long for the requests it is answering.
graceful_timeout = 30

# gunicorn's control socket would be a file in the home directory, and nothing here talks to it.
control_socket_disable = True

# Where all workers write what they count, so that whichever is asked adds all up (`core.metrics`). Each start has a
# directory of its own, unless the operator named one; a reload (HUP), which reads this file again, keeps it.
_OWNER = "ENTERPRISE_CATALOG_METRICS_OWNER"
_is_named = "PROMETHEUS_MULTIPROC_DIR" in os.environ and _OWNER not in os.environ
if not _is_named and os.environ.get(_OWNER) != str(os.getpid()):
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="enterprise-catalog-metrics-")
    os.environ[_OWNER] = str(os.getpid())

# The port of its own for figures, beside whatever --bind says, also after a reload: gunicorn compares addresses then.
_metrics_address = (os.environ.get("METRICS_HOST", "127.0.0.1"), int(os.environ.get("METRICS_PORT") or 0))
if _metrics_address[1] and not hasattr(Config, "address_without_metrics"):
    Config.address_without_metrics = Config.address
    Config.address = property(lambda config: [*config.address_without_metrics, _metrics_address])


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
