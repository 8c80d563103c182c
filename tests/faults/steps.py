"""
Call a test at each step of a refresh in this process, so that the test can let it die or let something else happen.

The service's own code runs and decides.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from enterprise_catalog.apps.catalog.storage import content_store
from enterprise_catalog.apps.discovery.client import DiscoveryClient
from enterprise_catalog.apps.refresh.pipeline import outcomes, runner

# So few items make several batches.
ROWS_PER_BATCH = 6


class Killed(BaseException):
    """The process is dead; no `except Exception` of the service catches this."""


def tell(monkeypatch, at):
    """
    Call `at(step, ...)` at each step of every refresh, in this order: claimed (with the claims), page, fetched, batch,
    publishing, written, published (with claim and state) or refused (with claim and error). Only "written" is inside a
    transaction: the difference is there, and not yet committed.
    """
    claim_runs, fetch, publish = runner.claim_runs, runner.fetch_for_claims, runner.publish_or_hold
    post, store_batch, apply_difference = DiscoveryClient.post, content_store._store_batch, outcomes.apply_difference

    def claiming(*arguments: Any) -> Any:
        claims = claim_runs(*arguments)
        at("claimed", claims)
        return claims

    def asking(client: Any, *arguments: Any, **named: Any) -> Any:
        at("page")
        return post(client, *arguments, **named)

    def fetching(**named: Any) -> Any:
        fetched = fetch(**named)
        at("fetched")
        return fetched

    def storing(*arguments: Any, **named: Any) -> Any:
        at("batch")
        return store_batch(*arguments, **named)

    def publishing(**named: Any) -> Any:
        at("publishing")
        try:
            state = publish(**named)
        except Exception as error:
            at("refused", named["claim"], error)
            raise
        at("published", named["claim"], state)
        return state

    def writing(**named: Any) -> Any:
        unusable = apply_difference(**named)
        at("written")
        return unusable

    monkeypatch.setattr(runner, "claim_runs", claiming)
    monkeypatch.setattr(DiscoveryClient, "post", asking)
    monkeypatch.setattr(runner, "fetch_for_claims", fetching)
    monkeypatch.setattr(content_store, "_store_batch", storing)
    monkeypatch.setattr(content_store, "_BATCH_ROWS", ROWS_PER_BATCH)
    monkeypatch.setattr(runner, "publish_or_hold", publishing)
    monkeypatch.setattr(outcomes, "apply_difference", writing)


@contextmanager
def dying_at_statement(number: int) -> Iterator[None]:
    """Die instead of executing the nth statement; with 0, never."""
    left = number

    def execute(run: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        return run(*arguments)

    with connection.execute_wrapper(execute):
        yield
