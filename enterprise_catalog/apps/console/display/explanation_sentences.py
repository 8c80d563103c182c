"""
Say in sentences where a content is, and why it is not where somebody looks for it.

Values in, text out. `services.content_explanations.reasons` words the reasons themselves.
"""

from collections.abc import Iterator

from enterprise_catalog.apps.catalog.models import ContentMetadata
from enterprise_catalog.apps.console.display.sentences import plural, utc_minute
from enterprise_catalog.apps.services.content_explanations.facts import ContentFacts
from enterprise_catalog.apps.services.content_explanations.reasons import Explanation, Reason, Rule

_CONTAINED_BY = {
    Rule.MEMBER: "as itself",
    Rule.NESTED_RUN: "as a run of the course {member}",
    Rule.PARENT: "as the course of the run {member}",
}


def content_sentences(content: ContentFacts) -> Iterator[str]:
    """Say what the content is, where it is, and what hides it."""
    if content.hint:
        yield content.hint
    if content.content_type:
        yield _kind(content, content.content_type)
    if content.active is False:
        yield f"It is inactive: {content.inactive_because}. A catalog has it, but leaves it out of lists."
    if content.restricted:
        yield "It is a restricted run: API v1 hides it from everybody, v2 from all whose filter does not allow it."
    if content.catalogs:
        where = f"{plural(content.catalogs, 'catalog')}, by {plural(content.queries, 'search', 'searches')}"
        yield f"It is in {where}; discovery last returned it at {utc_minute(content.last_seen)}."
    elif content.queries:
        yield f"It is in {plural(content.queries, 'search', 'searches')} that no catalog uses."
    elif content.content_type:
        left = f" It last left a search at {utc_minute(content.left_at)}." if content.left_at else ""
        yield f"No search returns it now.{left}"


def quarantine_sentences(content: ContentFacts) -> Iterator[tuple[str, str]]:
    """Yield a sentence for each quarantined document of the content, with the uuid of its run."""
    for document in content.quarantined:
        run = document.refresh_run
        yield f"Set aside as unusable at {utc_minute(run.finished_at)}: {document.reason}", str(run.pk)


def how_contained(explanation: Explanation) -> str:
    if explanation.rule is None:
        return "no, but in API v2" if explanation.contains_in_v2 else "no"
    since = utc_minute(explanation.since) if explanation.since else "before changes are kept"
    listed = "listed" if explanation.listed else "not listed"
    return (
        f"yes, {_CONTAINED_BY[explanation.rule].format(member=explanation.member)}, {listed}; "
        f"since {since}, last seen {utc_minute(explanation.last_seen)}"
    )


def reason_sentence(reason: Reason) -> str:
    at = f" ({utc_minute(reason.at)})" if reason.at else ""
    return f"{reason.detail}{at}"


def _kind(content: ContentFacts, content_type: str) -> str:
    kind = ContentMetadata.ContentType(content_type).label.lower()
    of = f" of the course {content.parent_content_key}" if content.parent_content_key else ""
    title = f": {content.title}" if content.title else ""
    return f"A {kind}{of}{title}"
