"""
How fast the service is, as ratios to what is possible at all on the same machine in the same run (`make bench`).

Everything runs on loopback with production settings: MariaDB, Redis, gunicorn, the sandbox as discovery. Nothing here
is imported by the service, and nothing here is asserted in seconds by a test.
"""
