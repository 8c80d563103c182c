"""
Install Debian packages that the tests need, if they are missing and this user may.

This runs before the virtual environment exists, so it uses the standard library only. It never starts, stops or
configures a system service. MariaDB comes from packages without one. The others are installed with service starts
forbidden, and do not start with the machine.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MARIADB_SERVER = ("mariadbd", "mysqld")
MARIADB_INSTALL = ("mariadb-install-db", "mysql_install_db")
POLICY_FILE = Path("/usr/sbin/policy-rc.d")
# Packages with a server of the same name that would start with the machine from then on.
STARTED_AT_BOOT = ("prometheus", "redis-server", "nginx-light", "caddy")
# Of those, the ones whose service has another name.
SERVICES = {"nginx-light": "nginx"}
# Servers are in directories that are not in an ordinary user's PATH.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"])


class Missing(Exception):
    """A person has to install something; the message says what and how."""


@dataclass(frozen=True)
class Need:
    packages: tuple[str, ...]
    purpose: str
    present: Callable[[], bool]


def find_program(*names: str) -> str | None:
    for name in names:
        path = shutil.which(name, path=SEARCH_PATH)
        if path:
            return path
    return None


def _has_client_headers() -> bool:
    pkg_config = find_program("pkg-config")
    if pkg_config is None or find_program("gcc", "cc") is None:
        return False
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return False
    known = ("mysqlclient", "mariadb", "libmariadb")
    return any(subprocess.run([pkg_config, "--exists", name], check=False).returncode == 0 for name in known)


def _has_ensurepip() -> bool:
    # Debian's python3 has the venv module but not the pip that goes into a new environment.
    return subprocess.run([sys.executable, "-c", "import venv, ensurepip"], capture_output=True).returncode == 0


NEEDS = {
    "venv": Need(("python3-venv",), "make a virtual environment", _has_ensurepip),
    "mysqlclient": Need(
        ("libmariadb-dev", "pkg-config", "gcc", "python3-dev"), "build mysqlclient from source", _has_client_headers
    ),
    # The -core packages hold the server program alone: no unit file, no data directory, no system server to disturb.
    "mariadb": Need(
        ("mariadb-server-core", "mariadb-client-core"),
        "run a throwaway MariaDB server",
        lambda: all(
            find_program(*names) for names in (("mariadbd", "mysqld"), ("mariadb-install-db", "mysql_install_db"))
        ),
    ),
    "redis": Need(("redis-server",), "run a throwaway Redis server", lambda: bool(find_program("redis-server"))),
    "browser": Need(
        ("chromium", "chromium-driver"),
        "try the admin in a browser",
        lambda: bool(find_program("chromium") and find_program("chromedriver")),
    ),
    "dump": Need(("mariadb-client",), "back a database up", lambda: bool(find_program("mariadb-dump"))),
    # The server comes with its tool.
    "prometheus": Need(
        ("prometheus",),
        "try the alerts, the dashboard and the scraping",
        lambda: bool(find_program("promtool") and find_program("prometheus")),
    ),
    "nginx": Need(("nginx-light",), "try its configuration", lambda: bool(find_program("nginx"))),
    "caddy": Need(("caddy",), "try its configuration", lambda: bool(find_program("caddy"))),
    "faketime": Need(("faketime",), "give a worker a wrong clock", lambda: bool(find_program("faketime"))),
    "curl": Need(("curl",), "try the requests that `make run` prints", lambda: bool(find_program("curl"))),
}


def _privilege() -> list[str] | None:
    """Return the prefix of commands that need root; None if this user may not run them."""
    if os.geteuid() == 0:
        return []
    sudo = find_program("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


@contextlib.contextmanager
def _service_starts_forbidden(privilege: list[str]) -> Iterator[None]:
    if POLICY_FILE.exists():
        # Another policy, such as a container image's, stays as it is.
        yield
        return
    policy = "#!/bin/sh\nexit 101\n"
    tee = [*privilege, "tee", str(POLICY_FILE)]
    subprocess.run(tee, input=policy, text=True, stdout=subprocess.DEVNULL, check=True)
    try:
        subprocess.run([*privilege, "chmod", "755", str(POLICY_FILE)], check=True)
        yield
    finally:
        subprocess.run([*privilege, "rm", "-f", str(POLICY_FILE)], check=True)


def _apt_install(packages: list[str], privilege: list[str], apt_get: str) -> None:
    # Wait for the lock, since another package job on the machine is not a reason to fail.
    apt = [*privilege, "env", "DEBIAN_FRONTEND=noninteractive", apt_get, "-o", "DPkg::Lock::Timeout=300", "-qq"]
    # A stale mirror beside a good one must not stop the install, which fails if a package is really missing.
    subprocess.run([*apt, "update"], stdin=subprocess.DEVNULL, check=False)
    with _service_starts_forbidden(privilege):
        subprocess.run(
            [*apt, "install", "-y", "--no-install-recommends", *packages],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )
    for name in set(packages).intersection(STARTED_AT_BOOT):
        _do_not_start_at_boot(SERVICES.get(name, name), privilege)


def _do_not_start_at_boot(service: str, privilege: list[str]) -> None:
    """Disable the service in whatever starts services on this machine."""
    if Path("/etc/init.d", service).exists():
        subprocess.run([*privilege, "update-rc.d", service, "disable"], check=True)
    elif systemctl := find_program("systemctl"):
        # Works on the unit's links alone, also where systemd does not run.
        subprocess.run([*privilege, systemctl, "disable", service], stderr=subprocess.DEVNULL, check=True)


def ensure(names: list[str]) -> None:
    """Install what the named needs lack. Raises `Missing` if a person has to do it."""
    unmet = [NEEDS[name] for name in names if not NEEDS[name].present()]
    if not unmet:
        return
    packages = [package for need in unmet for package in need.packages]
    purposes = " and to ".join(need.purpose for need in unmet)
    advice = f"Missing on this machine, needed to {purposes}: {' '.join(packages)}"
    by_hand = f"Install it with: sudo apt-get install {' '.join(packages)}"
    apt_get = find_program("apt-get")
    if apt_get is None:
        raise Missing(f"{advice}\n(package names of Debian; this machine has no apt-get to install them with)")
    privilege = _privilege()
    if privilege is None:
        raise Missing(f"{advice}\nThis user may not install packages. {by_hand}")
    print(f"{advice}\nInstalling with apt-get ...", flush=True)
    try:
        _apt_install(packages, privilege, apt_get)
    except subprocess.CalledProcessError as error:
        raise Missing(f"{advice}\napt-get failed (exit code {error.returncode}). {by_hand}") from error
    still = [need.purpose for need in unmet if not need.present()]
    if still:
        raise Missing(f"{' '.join(packages)} installed, and still not able to {' and to '.join(still)}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Make sure that Debian packages are there.")
    parser.add_argument("needs", nargs="+", choices=sorted(NEEDS))
    try:
        ensure(parser.parse_args().needs)
    except Missing as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
