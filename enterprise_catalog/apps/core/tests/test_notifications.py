"""Notifications never make a caller wait longer than the timeout, whatever the broker does (P6)."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from celery import current_app, shared_task
from kombu import Connection, Queue

from enterprise_catalog.apps.core.broker import notifications
from enterprise_catalog.apps.core.broker.notifications import notify_worker
from scripts.services import Redis

UseBroker = Callable[..., None]


@shared_task(name="tests.sample")
def sample(argument: str) -> None:
    raise AssertionError("only sent here, never run")


@pytest.fixture
def use_broker(monkeypatch: pytest.MonkeyPatch) -> UseBroker:
    """Return a function that sets the broker of later notifications, with new connections."""

    def use(url: str, **transport_options: object) -> None:
        # Celery prefers the environment to its configuration.
        monkeypatch.setenv("CELERY_BROKER_URL", url)
        monkeypatch.setitem(current_app.conf, "broker_transport_options", transport_options)
        monkeypatch.setattr(notifications, "_publisher", None)

    return use


@pytest.fixture
def short_timeout(settings) -> float:
    """The timeout of production. On a busy machine a notification may then be lost that would have arrived."""
    settings.NOTIFY_TIMEOUT_SECONDS = 0.2
    return settings.NOTIFY_TIMEOUT_SECONDS


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server that accepts connections and stays silent, as a stopped broker does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """The timeouts with which callers waited, instead of the seconds that this machine took."""
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


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that libraries would have slept between their own attempts."""
    seconds: list[float] = []
    monkeypatch.setattr("kombu.utils.functional.sleep", seconds.append)
    monkeypatch.setattr("redis.retry.sleep", seconds.append)
    return seconds


def url_of(listener: socket.socket, scheme: str = "redis") -> str:
    return f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/0"


def taken(url: str, **options: str) -> list[str]:
    """Take the messages that wait at a broker, and return their arguments."""
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


def is_publisher_idle() -> bool:
    late = notifications._get_publisher()._late
    return late is None or late.done()


def test_a_notification_names_the_task_and_its_arguments(use_broker: UseBroker):
    use_broker("memory://")
    taken("memory://")

    assert notify_worker(sample, "1f") is True

    assert taken("memory://") == ["1f"]


def test_a_notification_reaches_a_file_broker(use_broker: UseBroker, tmp_path: Path):
    folders = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path), "control_folder": str(tmp_path)}
    use_broker("filesystem://", **folders)

    assert notify_worker(sample, "1f") is True

    assert taken("filesystem://", **folders) == ["1f"]


def test_a_notification_to_a_missing_file_broker_is_lost(use_broker: UseBroker, tmp_path: Path):
    folders = {"data_folder_out": str(tmp_path / "gone"), "control_folder": str(tmp_path)}
    use_broker("filesystem://", data_folder_in=str(tmp_path), **folders)

    assert notify_worker(sample, "1f") is False


@pytest.mark.mariadb
def test_a_worker_takes_the_notification_from_redis(use_broker: UseBroker, redis: Redis):
    use_broker(redis.url)
    received: list[tuple[str, list[str]]] = []

    assert notify_worker(sample, "1f") is True

    with current_app.connection_for_read() as connection:
        consumer = current_app.amqp.TaskConsumer(connection.default_channel)
        consumer.register_callback(lambda body, message: received.append((message.headers["task"], body[0])))
        with consumer:
            connection.drain_events(timeout=10)
    assert received == [("tests.sample", ["1f"])]


@pytest.mark.mariadb
def test_a_redis_that_was_restarted_gets_the_next_notification(use_broker: UseBroker, redis: Redis):
    use_broker(redis.url)
    assert notify_worker(sample, "before") is True
    redis.kill()
    redis.start()

    assert notify_worker(sample, "after") is True

    assert taken(redis.url) == ["after"]


@pytest.mark.mariadb
def test_a_redis_that_comes_back_gets_the_next_notification(use_broker: UseBroker, redis: Redis):
    use_broker(redis.url)
    assert notify_worker(sample, "before") is True
    redis.kill()
    assert notify_worker(sample, "lost") is False
    redis.start()

    assert notify_worker(sample, "after") is True

    assert taken(redis.url) == ["after"]


@pytest.mark.mariadb
def test_a_paused_redis_is_waited_for_once_until_the_timeout(  # P6
    use_broker: UseBroker, redis: Redis, waits: list[float | None], short_timeout: float
):
    use_broker(redis.url)
    await_condition(lambda: notify_worker(sample, "before"))
    waits.clear()
    redis.pause()
    try:
        assert notify_worker(sample, "lost") is False
    finally:
        redis.resume()

    assert waits == [short_timeout]


@pytest.mark.usefixtures("short_timeout")
@pytest.mark.mariadb
def test_a_redis_that_was_paused_gets_nothing_twice(use_broker: UseBroker, redis: Redis):
    use_broker(redis.url, retry_on_timeout=True)
    assert await_condition(lambda: notify_worker(sample, "before"))
    taken(redis.url)
    redis.pause()
    try:
        notify_worker(sample, "lost")
        notify_worker(sample, "lost, too")
    finally:
        redis.resume()

    assert await_condition(lambda: notify_worker(sample, "after"))

    arrived = taken(redis.url)
    assert arrived[-1] == "after"
    assert all(arrived.count(argument) <= 1 for argument in ("lost", "lost, too"))


@pytest.mark.mariadb
def test_a_forked_process_has_a_connection_of_its_own(use_broker: UseBroker, redis: Redis):
    use_broker(redis.url)
    taken(redis.url)
    notify_worker(sample, "parent")

    child = os.fork()
    if child == 0:
        os._exit(0 if notify_worker(sample, "child") else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert notify_worker(sample, "parent again") is True
    assert taken(redis.url) == ["parent", "child", "parent again"]


@pytest.mark.mariadb
def test_the_next_of_several_brokers_is_used_when_one_is_down(
    use_broker: UseBroker, redis: Redis, listener: socket.socket
):
    use_broker(f"{url_of(listener)};{redis.url}/0")
    listener.close()
    taken(redis.url)

    assert [
        notify_worker(sample, "lost"),
        notify_worker(sample, "sent"),
        notify_worker(sample, "sent, too"),
    ] == [
        False,
        True,
        True,
    ]

    assert taken(redis.url) == ["sent", "sent, too"]


@pytest.mark.usefixtures("short_timeout")
def test_workers_keep_their_own_timeouts(use_broker: UseBroker, listener: socket.socket):
    use_broker(url_of(listener), socket_timeout=120)
    before = current_app.connection_for_read().connect_timeout

    notify_worker(sample, "1f")

    workers = current_app.connection_for_read()
    assert (workers.transport_options, workers.connect_timeout) == ({"socket_timeout": 120}, before)


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_refused_connection_loses_the_notification_at_once(  # P6
    use_broker: UseBroker, listener: socket.socket, scheme: str, pauses: list[float]
):
    use_broker(url_of(listener, scheme))
    listener.close()

    assert notify_worker(sample, "1f") is False

    assert await_condition(is_publisher_idle)
    assert pauses == []


@pytest.mark.usefixtures("short_timeout")
@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_silent_broker_loses_the_notification_and_holds_nobody(  # P6
    use_broker: UseBroker, listener: socket.socket, scheme: str, pauses: list[float]
):
    use_broker(url_of(listener, scheme))

    assert notify_worker(sample, "1f") is False

    assert await_condition(is_publisher_idle)
    assert pauses == []


@pytest.mark.usefixtures("short_timeout")
def test_a_host_that_drops_packets_loses_the_notification_and_blocks_nobody(use_broker: UseBroker):  # P6
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        # The backlog of this server is full from here on, so that the kernel drops connection attempts.
        with socket.create_connection(server.getsockname()):
            use_broker(url_of(server))

            assert notify_worker(sample, "1f") is False

            assert await_condition(is_publisher_idle)


def test_an_unknown_kind_of_broker_loses_the_notification(use_broker: UseBroker):
    use_broker("nonsense://127.0.0.1")

    assert notify_worker(sample, "1f") is False


@pytest.mark.usefixtures("short_timeout")
def test_a_hanging_broker_is_waited_for_once_and_gets_what_was_queued(
    use_broker: UseBroker, monkeypatch: pytest.MonkeyPatch, waits: list[float | None]
):
    """Also if something without a timeout hangs, such as looking up a name."""
    use_broker("memory://")
    taken("memory://")
    hanging, send = threading.Event(), sample.apply_async
    monkeypatch.setattr(sample, "apply_async", lambda *message, **options: hanging.wait() and send(*message, **options))

    assert [notify_worker(sample, argument) for argument in ("late", "queued", "queued, too")] == [
        False,
        False,
        False,
    ]
    assert len(waits) == 1

    hanging.set()
    assert await_condition(lambda: notify_worker(sample, "new"))
    assert taken("memory://")[:3] == ["late", "queued", "queued, too"]


@pytest.mark.usefixtures("short_timeout")
def test_the_queue_for_a_hanging_broker_is_bounded(use_broker: UseBroker, monkeypatch: pytest.MonkeyPatch):
    use_broker("memory://")
    taken("memory://")
    monkeypatch.setattr(notifications, "_MAX_QUEUED", 2)
    hanging, send = threading.Event(), sample.apply_async
    monkeypatch.setattr(sample, "apply_async", lambda *message, **options: hanging.wait() and send(*message, **options))

    assert not any(notify_worker(sample, argument) for argument in ("late", "queued", "queued, too", "one too many"))

    hanging.set()
    assert await_condition(lambda: notify_worker(sample, "new"))
    assert "one too many" not in taken("memory://")


def test_a_lost_notification_is_logged_without_its_arguments(  # P6
    use_broker: UseBroker, listener: socket.socket, caplog: pytest.LogCaptureFixture
):
    use_broker(url_of(listener))
    listener.close()

    notify_worker(sample, "an-argument")

    assert "nudge_lost" in caplog.text
    assert "tests.sample" in caplog.text
    assert "an-argument" not in caplog.text
