"""
Check that the tables agree with each other, in one snapshot.

Violations are reported and never repaired: each is a bug, and its traces are evidence.
"""

from collections.abc import Iterator

from enterprise_catalog.apps.catalog.storage import consistency as catalog_consistency
from enterprise_catalog.apps.catalog.storage.consistency import Violation
from enterprise_catalog.apps.core.db.snapshots import snapshot
from enterprise_catalog.apps.refresh.reports import consistency as refresh_consistency


def violations(*, deep: bool = False) -> Iterator[Violation]:
    """Yield all violations of invariants. `deep` unpacks every document instead of a sample."""
    with snapshot():
        yield from catalog_consistency.violations(deep=deep)
        yield from refresh_consistency.violations()
