"""Choosing one search document out of several variants (DISC-14, REFR-13, REFR-20)."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.catalog.content.search_document_variants import Variant, trim_ended_runs, variant_of

NOW = datetime(2026, 11, 23, tzinfo=UTC)
OPEN = {"key": "open", "end": "2027-01-01T00:00:00Z"}
ENDED = {"key": "ended", "end": "2026-01-01T00:00:00"}
ENDLESS = {"key": "endless", "end": None}


def describe(document: dict) -> Variant:
    trimmed, ended = trim_ended_runs(document, now=NOW)
    return variant_of(trimmed, ended_keys=ended)


def course(runs, **fields):
    return {"key": "edX+DemoX", "title": "Demo", "course_runs": runs, **fields}


def test_ended_runs_are_trimmed_and_named():
    """Dates may have no time zone. Runs without end stay (REFR-13)."""
    trimmed, ended = trim_ended_runs(course([OPEN, ENDED, ENDLESS]), now=NOW)
    assert trimmed["course_runs"] == [OPEN, ENDLESS]
    assert ended == ["ended"]


def test_a_filter_that_prevents_trimming_does_not_replace_the_better_variant():  # DISC-14
    better = describe(course([OPEN], languages=["English"]))
    worse = describe(course([OPEN, ENDED], languages=["English", "French"]))
    assert not worse.replaces(better)
    assert better.replaces(worse)


def test_a_real_change_is_stored_by_any_query():
    better = describe(course([OPEN], languages=["English"]))
    changed = describe(course([OPEN, ENDED], languages=["English", "French"]) | {"title": "Demo 2"})
    assert changed.replaces(better)


def test_a_change_in_a_trimmed_field_alone_is_seen():
    before = describe(course([OPEN], languages=["English"]))
    after = describe(course([OPEN], languages=["German"]))
    assert after.replaces(before)


def test_a_variant_with_details_beats_one_without():
    """`detail_fields` in a filter adds fields that other filters do not get (DISC-10)."""
    plain = describe(course([OPEN]))
    detailed = describe(course([OPEN], level_type=["Introductory"], outcome="x", modified="2026"))
    assert detailed.replaces(plain)
    assert not plain.replaces(detailed)


def test_the_same_variant_never_replaces_itself():  # REFR-20
    assert not describe(course([OPEN, ENDED])).replaces(describe(course([ENDED, OPEN])))


answers = st.builds(
    lambda ended, details: describe(
        course(
            [OPEN, *({"key": key, "end": "2020-01-01"} for key in sorted(ended))],
            languages=sorted(ended),
            **({"level_type": "x"} if details else {}),
        )
    ),
    st.sets(st.sampled_from("abcd")),
    st.booleans(),
)


@given(st.lists(answers, min_size=1), st.randoms(use_true_random=False))
def test_the_stored_variant_does_not_depend_on_the_order(seen, random):
    """The best variant is kept, in whatever order they arrive (DISC-14)."""

    def outcome(order):
        stored = order[0]
        for variant in order[1:]:
            stored = variant if variant.replaces(stored) else stored
        return stored

    shuffled = random.sample(seen, len(seen))
    assert outcome(seen) == outcome(shuffled)
    assert not any(variant.replaces(outcome(seen)) for variant in seen)
