"""
Start throwaway MariaDB and Redis servers for tests, on free loopback ports and in a temporary directory.

They are tuned for data that nobody needs later. Servers that run on this machine already are not used in any way.
"""

import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Self

from scripts import debian, processes

START_SECONDS = 60
STOP_SECONDS = 20
DATABASE = "enterprise_catalog"
SERVICE_USER = "service"
# Users of a replicated database: the one that copies, and the one that reads the copy.
REPLICATION_USER = "replication"
READER_USER = "reader"
# The smallest that production may have.
MAX_ALLOWED_PACKET = "4M"


class Server:
    """One server program with its directory and port, which it keeps when it is stopped and started again."""

    name: str

    def __init__(self, directory: Path) -> None:
        self.directory = directory / self.name
        self.directory.mkdir()
        self.log = self.directory / "server.log"
        self.port = processes.free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def start(self) -> None:
        self.process = processes.spawn(self.command(), log=self.log, cwd=self.directory)
        processes.wait_until(self.answers, process=self.process, log=self.log, what=self.name, seconds=START_SECONDS)

    def stop(self) -> None:
        if self.process is not None:
            # A paused server would not see the request to stop.
            self.resume()
            processes.stop(self.process, grace_seconds=STOP_SECONDS)
            self.process = None

    def kill(self) -> None:
        """End it as a power failure would."""
        if self.process is not None:
            processes.signal_group(self.process, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        """Stop the process, so that connections stay open without answers, as with a machine that hangs."""
        if self.process is not None:
            processes.signal_group(self.process, signal.SIGSTOP)

    def resume(self) -> None:
        if self.process is not None:
            processes.signal_group(self.process, signal.SIGCONT)

    def _first_bytes(self, greeting: bytes) -> bytes:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                if greeting:
                    connection.sendall(greeting)
                return connection.recv(64)
        except OSError:
            return b""


class MariaDB(Server):
    name = "mariadb"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.password = secrets.token_hex(16)
        self.data = self.directory / "data"
        # A starting server removes the temporary tables in its directory, so it must not share /tmp.
        self.temporary = self.directory / "tmp"
        self.temporary.mkdir()

    @property
    def url(self) -> str:
        return f"mysql://{DATABASE}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def service_url(self) -> str:
        """With the rights that a deployment gives the service (docs/deployment.rst), and no more."""
        return f"mysql://{SERVICE_USER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def start(self) -> None:
        if not self.data.exists():
            self._install()
        super().start()

    def _install(self) -> None:
        command = [
            _program(*debian.MARIADB_INSTALL),
            "--no-defaults",
            f"--datadir={self.data}",
            f"--tmpdir={self.temporary}",
            "--auth-root-authentication-method=socket",
            "--skip-test-db",
            # A machine without a resolvable name can test too.
            "--force",
            f"--user={getpass.getuser()}",
        ]
        made = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, check=False)
        if made.returncode:
            raise processes.NotReady(f"{command[0]} failed:\n{made.stdout}{made.stderr}")
        (self.directory / "init.sql").write_text("".join(f"{statement};\n" for statement in self.first_statements()))

    def first_statements(self) -> list[str]:
        """Return the statements that the server runs at each start, before it listens."""
        return [
            f"CREATE DATABASE IF NOT EXISTS {DATABASE}",
            # All rights, because the test runner creates and drops databases of its own.
            *self._user(DATABASE, "ALL ON *.*"),
            *self._user(SERVICE_USER, f"ALL ON {DATABASE}.*"),
        ]

    def binary_log(self) -> list[str]:
        return ["--skip-log-bin"]

    def _user(self, name: str, rights: str) -> list[str]:
        user = f"{name}@127.0.0.1"
        return [f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{self.password}'", f"GRANT {rights} TO {user}"]

    def command(self) -> list[str]:
        return [
            _program(*debian.MARIADB_SERVER),
            "--no-defaults",
            f"--user={getpass.getuser()}",
            f"--datadir={self.data}",
            f"--tmpdir={self.temporary}",
            f"--socket={self.directory / 'socket'}",
            f"--pid-file={self.directory / 'pid'}",
            f"--init-file={self.directory / 'init.sql'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            *self.binary_log(),
            "--performance-schema=OFF",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_unicode_ci",
            # Speed for data that nobody needs after a crash of the machine; a killed server still recovers all
            # of it: what was committed is in the hands of the system.
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-flush-method=O_DIRECT_NO_FSYNC",
            # Servers grant this much for one statement at least, however long, and what is stored must fit (DISC-17).
            f"--max-allowed-packet={MAX_ALLOWED_PACKET}",
            "--innodb-buffer-pool-size=256M",
            "--innodb-log-file-size=64M",
        ]

    def answers(self) -> bool:
        # The handshake: a four byte header, then protocol version 10. Refusals start with 255 instead.
        return self._first_bytes(b"")[4:5] == b"\x0a"


class Primary(MariaDB):
    """A MariaDB that can be replicated."""

    def first_statements(self) -> list[str]:
        return [
            *super().first_statements(),
            *self._user(REPLICATION_USER, "REPLICATION SLAVE ON *.*"),
            *self._user(READER_USER, f"SELECT ON {DATABASE}.*"),
        ]

    def binary_log(self) -> list[str]:
        return ["--log-bin=changes", "--binlog-format=ROW", "--server-id=1"]


class Replica(MariaDB):
    """A MariaDB that replicates a primary from its first statement on, with its users, and is read-only."""

    name = "mariadb-replica"

    def __init__(self, directory: Path, primary: Primary) -> None:
        super().__init__(directory)
        self.primary = primary
        self.password = primary.password

    @property
    def reader_url(self) -> str:
        return f"mysql://{READER_USER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def first_statements(self) -> list[str]:
        """Return the statements that name the primary. They can be repeated: its tables know where it stopped."""
        return [
            f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={self.primary.port}, MASTER_CONNECT_RETRY=1,"
            f" MASTER_USER='{REPLICATION_USER}', MASTER_PASSWORD='{self.password}', MASTER_USE_GTID=slave_pos",
            "START SLAVE",
        ]

    def binary_log(self) -> list[str]:
        return ["--skip-log-bin", "--server-id=2", "--read-only=1", "--skip-slave-start"]


class Redis(Server):
    name = "redis"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.directory),
            "save": "",
            "appendonly": "no",
        }
        return [_program("redis-server"), *(word for name, value in options.items() for word in (f"--{name}", value))]

    def answers(self) -> bool:
        return self._first_bytes(b"PING\r\n").startswith(b"+PONG")


class Services:
    """A MariaDB and a Redis in one temporary directory, which end with the `with` block."""

    def __init__(self) -> None:
        debian.ensure(["mariadb", "redis"])
        self.directory = Path(tempfile.mkdtemp(prefix="enterprise-catalog-services-"))
        self.mariadb = self.database()
        self.redis = Redis(self.directory)

    def database(self) -> MariaDB:
        return MariaDB(self.directory)

    def __enter__(self) -> Self:
        try:
            self.redis.start()
            self.mariadb.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self.mariadb.stop()
        self.redis.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.mariadb.url,
            "CELERY_BROKER_URL": f"{self.redis.url}/0",
            "CACHE_URL": f"{self.redis.url}/1",
        }


class ReplicatedServices(Services):
    """Services with a second MariaDB that replicates the first."""

    mariadb: Primary

    def __init__(self) -> None:
        super().__init__()
        self.replica = Replica(self.directory, self.mariadb)

    def database(self) -> MariaDB:
        return Primary(self.directory)

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self.replica.start()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        self.replica.stop()
        super().close()

    def environment(self) -> dict[str, str]:
        return super().environment() | {"DATABASE_REPLICA_URL": self.replica.reader_url}


def _program(*names: str) -> str:
    path = debian.find_program(*names)
    if path is None:
        raise debian.Missing(f"Not found on this machine: {names[0]}")
    return path


def _interrupt(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    # Ctrl-C too: a shell that starts this in the background leaves it ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with Services() as services:
            print("# MariaDB and Redis run until Ctrl-C. For another shell:")
            for name, value in services.environment().items():
                print(f"export {name}={value}")
            sys.stdout.flush()
            while True:
                signal.pause()
    except KeyboardInterrupt:
        print(f"{os.linesep}Stopped; nothing is left behind.")
    except (debian.Missing, processes.NotReady) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
