"""A caller is never held up by the broker, whatever is wrong with it (P6)."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from celery import current_app, shared_task
from kombu import Connection, Queue

from enterprise_catalog.apps.core import nudge as nudges
from enterprise_catalog.apps.core.nudge import nudge
from scripts.services import Redis

UseBroker = Callable[..., None]


@shared_task(name="tests.nudged")
def nudged(argument: str) -> None:
    raise AssertionError("only sent here, never run")


@pytest.fixture
def use_broker(monkeypatch: pytest.MonkeyPatch) -> UseBroker:
    """Nudge that broker from now on, with connections made anew."""

    def use(url: str, **transport_options: str) -> None:
        # Celery prefers the environment to its own settings.
        monkeypatch.setenv("CELERY_BROKER_URL", url)
        monkeypatch.setitem(current_app.conf, "broker_transport_options", transport_options)
        monkeypatch.setattr(nudges, "_publisher", None)

    return use


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Accepts connections and never says a word, as a stopped Redis does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """For how long callers were willing to wait, instead of how long this machine took."""
    seconds: list[float | None] = []
    original = Future.result

    def result(self: "Future[None]", timeout: float | None = None) -> None:
        seconds.append(timeout)
        return original(self, timeout)

    monkeypatch.setattr(Future, "result", result)
    return seconds


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


def url_of(listener: socket.socket) -> str:
    return f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def taken(url: str, **options: str) -> list[str]:
    """Arguments of the messages that wait at a broker."""
    with Connection(url, transport_options=options) as connection:
        queue = Queue("enterprise_catalog", channel=connection.default_channel)
        messages = iter(lambda: queue.get(no_ack=True), None)
        return [message.decode()[0][0] for message in messages]


def await_condition(holds: Callable[[], bool]) -> bool:
    for _ in range(1000):
        if holds():
            return True
        time.sleep(0.01)
    return False


def test_a_nudge_names_the_task_and_its_arguments(use_broker: UseBroker):
    use_broker("memory://")
    taken("memory://")

    assert nudge(nudged, "1f") is True

    assert taken("memory://") == ["1f"]


def test_a_nudge_reaches_a_broker_made_of_files(use_broker: UseBroker, tmp_path: Path):
    folders = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path), "control_folder": str(tmp_path)}
    use_broker("filesystem://", **folders)

    assert nudge(nudged, "1f") is True

    assert taken("filesystem://", **folders) == ["1f"]


def test_a_nudge_reaches_redis(use_broker: UseBroker, redis: Redis):
    use_broker(redis.url)

    assert nudge(nudged, "1f") is True

    assert taken(redis.url) == ["1f"]


def test_a_redis_that_was_restarted_gets_the_next_nudge(use_broker: UseBroker, redis: Redis):
    use_broker(redis.url)
    assert nudge(nudged, "before") is True
    redis.kill()
    assert nudge(nudged, "lost") is False
    redis.start()

    assert nudge(nudged, "after") is True


def test_a_paused_redis_costs_one_bounded_wait(
    use_broker: UseBroker, redis: Redis, waits: list[float | None], settings
):
    use_broker(redis.url)
    nudge(nudged, "before")
    waits.clear()
    redis.pause()
    try:
        assert nudge(nudged, "lost") is False
    finally:
        redis.resume()

    assert waits == [settings.NUDGE_TIMEOUT_SECONDS]


def test_a_refused_connection_loses_the_nudge(use_broker: UseBroker, listener: socket.socket):
    use_broker(url_of(listener))
    listener.close()

    assert nudge(nudged, "1f") is False


def test_a_silent_broker_loses_the_nudge(use_broker: UseBroker, listener: socket.socket):
    use_broker(url_of(listener))

    assert nudge(nudged, "1f") is False


def test_a_host_that_drops_packets_loses_the_nudge(use_broker: UseBroker):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        # The queue of this listener is full from here on, so that the kernel drops who knocks.
        with socket.create_connection(server.getsockname()):
            use_broker(url_of(server))

            assert nudge(nudged, "1f") is False


def test_a_hanging_broker_is_waited_for_once_and_gets_what_was_kept(
    use_broker: UseBroker, monkeypatch: pytest.MonkeyPatch, waits: list[float | None]
):
    """Whatever hangs, also what knows no timeout, such as looking up a name."""
    use_broker("memory://")
    taken("memory://")
    hanging, send = threading.Event(), nudged.apply_async
    monkeypatch.setattr(nudged, "apply_async", lambda *message, **options: hanging.wait() and send(*message, **options))

    assert [nudge(nudged, argument) for argument in ("late", "kept", "kept, too")] == [False, False, False]
    assert len(waits) == 1

    hanging.set()
    assert await_condition(lambda: nudge(nudged, "new"))
    assert taken("memory://")[:3] == ["late", "kept", "kept, too"]


def test_a_lost_nudge_is_logged_without_its_arguments(
    use_broker: UseBroker, listener: socket.socket, caplog: pytest.LogCaptureFixture
):
    use_broker(url_of(listener))
    listener.close()

    nudge(nudged, "an-argument")

    assert "nudge_lost" in caplog.text
    assert "tests.nudged" in caplog.text
    assert "OperationalError" in caplog.text
    assert "an-argument" not in caplog.text
