"""
Which version of an answer the store holds, told without reading a document (COM-18).

Take a version from rows read before the answer's documents: then an answer is never older than its version, and whoever
holds it learns of a publish in between with the next question. A fact that changes an answer and moves no version makes
callers keep a stale one; one that moves it needlessly only costs a transfer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from enterprise_catalog.apps.catalog.models import ContentMetadata, EnterpriseCatalog
from enterprise_catalog.apps.catalog.rendering.item_template import RENDERING_VERSION
from enterprise_catalog.apps.catalog.rendering.template_filler import FILLING_VERSION, TemplateFiller


@dataclass(frozen=True)
class CacheValidators:
    """`facts` are JSON, to be compared for equality only; `last_modified` does not move when something is removed."""

    inputs: list[Any]
    last_modified: datetime

    def about(self, members: Sequence[str]) -> "CacheValidators":
        """
        Of an answer that is about these members, not about all: which runs belong to an asked course depends on other
        queries, too (CONT-8).
        """
        return replace(self, inputs=[*self.inputs, members])


def catalog_validators(*, catalog: EnterpriseCatalog, fill: TemplateFiller) -> CacheValidators:
    """The validators of what a catalog says about its content; `fill` is the catalog's."""
    query = catalog.catalog_query
    inputs = [
        RENDERING_VERSION,
        [query.pk, query.generation, query.items_version],
        catalog.title,
        fill.inputs,
    ]
    return CacheValidators(inputs, latest_modified(catalog=catalog, own=fill.modified))


def version_of_content(content: ContentMetadata) -> CacheValidators:
    """Of a content by itself, for no catalog."""
    inputs = [RENDERING_VERSION, FILLING_VERSION, content.content_key, content.rendered_digest]
    return CacheValidators(inputs, content.modified)


def latest_modified(*, catalog: EnterpriseCatalog, own: datetime) -> datetime:
    """
    The latest date that an item of the catalog has (META-11), where none counts as older than `own`. Without members,
    the date of the catalog.
    """
    query = catalog.catalog_query
    return max(query.content_modified or own, own) if query.member_count else catalog.modified
