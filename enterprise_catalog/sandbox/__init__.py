"""A small stand-in for course-discovery and the LMS, in one process, for local runs and tests.

It speaks HTTP and knows nothing of the service: it must never import `enterprise_catalog.apps` nor Django,
so that a misreading of discovery in the service cannot be repeated here by sharing code.
"""

from enterprise_catalog.sandbox.config import SandboxConfig
from enterprise_catalog.sandbox.sandbox import Sandbox

__all__ = ["Sandbox", "SandboxConfig"]
