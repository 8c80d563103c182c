"""Every error of discovery has a reason, and every reason tells an operator what to do (RUN-4)."""

from collections.abc import Iterator

import pytest

from enterprise_catalog.apps.discovery.errors import DiscoveryError
from enterprise_catalog.apps.refresh.failure_reasons import Reason
from enterprise_catalog.apps.refresh.models import FilterPreview, RefreshRun


def kinds(error: type[DiscoveryError]) -> Iterator[type[DiscoveryError]]:
    for kind in error.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_each_kind_of_error_has_a_reason_of_its_own():
    """A private kind of error, of another module, has the reason of its base."""
    reasons = {kind: Reason.of(kind("detail")) for kind in kinds(DiscoveryError)}
    public = [reason for kind, reason in reasons.items() if kind.__module__ == DiscoveryError.__module__]
    assert len(set(public)) == len(public) >= 6
    assert set(reasons.values()) == set(public)


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_has_advice_and_fits_its_columns(reason):
    assert reason.advice
    for model in (RefreshRun, FilterPreview):
        assert len(reason) <= model._meta.get_field("reason_code").max_length


def test_ends_by_another_run_say_nothing_about_the_query():
    assert {reason for reason in Reason if not reason.judges_query} == {"superseded", "filter_changed"}
