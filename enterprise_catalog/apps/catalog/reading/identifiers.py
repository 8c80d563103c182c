"""
Read the identifiers that callers write: content keys, uuids in any form, and several of them joined by commas (CONT-1).

Every surface that finds content by an identifier reads it here, so that all of them understand the same. What the
identifiers find is decided by `catalog.reading.containment` and `catalog.reading.lookups`.
"""

from collections.abc import Collection, Container, Iterable
from typing import NamedTuple

from enterprise_catalog.apps.core.uuids import parse_uuid

_SEPARATOR = ","


class Identifier(NamedTuple):
    """
    What a caller wrote to name content.

    `whole` has the content keys that the text stands for, and `parts` those of each part of a text with commas. A key
    may hold a comma, so a text counts as a whole first, and by its parts only if the whole finds nothing.
    """

    text: str
    whole: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...] = ()

    @property
    def terms(self) -> tuple[tuple[str, ...], ...]:
        """The whole, then the parts, in the order in which they are tried."""
        return (self.whole, *self.parts)

    def matches(self, contained: Container[str], *, all_parts: bool = False) -> bool:
        """Whether the whole is contained, or any of the parts; with `all_parts`, or all of them."""
        if _is_any_of(self.whole, contained):
            return True
        found = (_is_any_of(part, contained) for part in self.parts)
        return bool(self.parts) and (all(found) if all_parts else any(found))

    def found_terms(self, contained: Container[str]) -> list[tuple[str, ...]]:
        """The whole if it is contained, else each part that is."""
        if _is_any_of(self.whole, contained):
            return [self.whole]
        return [part for part in self.parts if _is_any_of(part, contained)]


def read_identifier(text: str) -> Identifier:
    parts = text.split(_SEPARATOR) if _SEPARATOR in text else []
    return Identifier(text, key_forms(text), tuple(key_forms(part) for part in parts))


def read_identifiers(texts: Iterable[str]) -> list[Identifier]:
    """Read identifiers, each once, in their order."""
    return [read_identifier(text) for text in dict.fromkeys(texts)]


def number_of_parts(texts: Collection[str]) -> int:
    """The number of texts, where each part of a text with commas counts: what looking them up costs."""
    return len(texts) + sum(text.count(_SEPARATOR) for text in texts)


def keys_of(identifiers: Iterable[Identifier]) -> set[str]:
    """Every content key to ask for, of wholes and parts."""
    keys: set[str] = set()
    for identifier in identifiers:
        keys.update(identifier.whole, *identifier.parts)
    return keys


def key_forms(text: str) -> tuple[str, ...]:
    """
    The content keys that a text without commas stands for: itself, and the canonical form of a uuid.

    Programs and pathways have the uuid that discovery sent as their key, which is in canonical form.
    """
    uuid = parse_uuid(text)
    return (text,) if uuid is None or text == str(uuid) else (text, str(uuid))


def _is_any_of(forms: tuple[str, ...], contained: Container[str]) -> bool:
    # A loop, since a generator takes several times as long, and each id of a request comes here.
    for form in forms:  # noqa: SIM110
        if form in contained:
            return True
    return False
