# Runs in an environment of its own, started by test_edx_enterprise.py.
collect_ignore = ["lms"]
