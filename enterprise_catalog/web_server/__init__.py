"""The gunicorn worker of the web processes, which reads requests and sends answers without a thread (SEC-1)."""
