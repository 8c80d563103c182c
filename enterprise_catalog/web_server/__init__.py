"""The gunicorn worker of the web processes: it reads requests and sends answers without holding a thread (SEC-1)."""
