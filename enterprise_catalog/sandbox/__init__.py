"""
A stand-in for course-discovery and the LMS, in one process, for local runs and tests.

It speaks HTTP and imports neither `enterprise_catalog.apps` nor Django. If the service misunderstands discovery, shared
code would repeat the mistake here.
"""

from enterprise_catalog.sandbox.config import SandboxConfig
from enterprise_catalog.sandbox.sandbox import Sandbox

__all__ = ["Sandbox", "SandboxConfig"]
