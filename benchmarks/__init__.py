"""
Measure how fast the service is, as ratios to what the same machine can do at all in the same run (`make bench`).

Everything runs on loopback with production settings: MariaDB, Redis, gunicorn, and the sandbox as discovery. The
service imports nothing of this, and no test asserts seconds.
"""
