"""How the web processes listen. gunicorn reads this file by itself when started in this directory.

Number of processes: WEB_CONCURRENCY. Address: --bind. Everything else that a deployment may want to say differently can
be said on the command line, which wins over this file.
"""

import gc
import os

from gunicorn.http import message

# The longest request the contract allows on GET: 1,000 ids of 255 characters, each escaped to three bytes (COM-16).
# gunicorn knows only "at most 8,190" or "no limit at all", and the second lets one client fill the memory.
limit_request_line = 1024 * 1024
message.MAX_REQUEST_LINE = limit_request_line

# A thread per waiting connection, so that a slow client holds a thread and not a process. Few, because they share one
# interpreter; more throughput comes from more processes.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4

# Rolling restarts: a worker gets this long for the requests it is answering.
graceful_timeout = 30

# gunicorn's control socket would be a file in the home directory, and nothing here talks to it.
control_socket_disable = True


def post_worker_init(worker):
    """
    What was made until now stays: the collector need not look at it again and again. It was an eighth of the time of a
    page of 100 items, and its pauses hit whoever came just then.
    """
    gc.collect()
    gc.freeze()
