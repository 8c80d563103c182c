"""
Compute the inputs of an ETag and the Last-Modified date of an answer without reading a document (COM-18).

Compute them from rows that are read before the answer's documents. Then an answer is never older than its validators,
and callers learn of a publish in between with their next request. Everything that changes an answer has to be an input.
An input that changes needlessly only costs a transfer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from enterprise_catalog.apps.catalog.models import ContentMetadata, EnterpriseCatalog
from enterprise_catalog.apps.catalog.rendering import item_template
from enterprise_catalog.apps.catalog.rendering.template_filler import FILLING_VERSION, TemplateFiller


@dataclass(frozen=True)
class CacheValidators:
    """
    The data that distinguishes one version of an answer from another.

    `inputs` are JSON values, to be compared for equality only. `last_modified` does not change when content is removed.
    """

    inputs: list[Any]
    last_modified: datetime

    def about(self, members: Sequence[str]) -> "CacheValidators":
        """
        The validators of an answer about these members only. Which runs belong to a given course depends on other
        queries, too (CONT-8).
        """
        return replace(self, inputs=[*self.inputs, members])


def catalog_validators(*, catalog: EnterpriseCatalog, fill: TemplateFiller) -> CacheValidators:
    """The validators of the items of a catalog; `fill` is the filler of the catalog."""
    query = catalog.catalog_query
    inputs = [
        item_template.RENDERING_VERSION,
        [query.pk, query.generation, query.items_version],
        catalog.title,
        fill.inputs,
    ]
    return CacheValidators(inputs, latest_modified(catalog=catalog, own=fill.modified))


def version_of_content(content: ContentMetadata) -> CacheValidators:
    """The validators of a catalog-independent item."""
    inputs = [item_template.RENDERING_VERSION, FILLING_VERSION, content.content_key, content.rendered_digest]
    return CacheValidators(inputs, content.modified)


def latest_modified(*, catalog: EnterpriseCatalog, own: datetime) -> datetime:
    """
    The latest modification of all items of a catalog, none of which counts as older than `own` (META-11). Without
    members, the modification of the catalog.
    """
    query = catalog.catalog_query
    return max(query.content_modified or own, own) if query.member_count else catalog.modified
