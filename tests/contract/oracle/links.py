"""Compute the URLs of an item in a catalog."""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from tests.contract.oracle.world import EXEC_ED_MODE, Catalog, Item, World

PORTAL = "https://enterprise.example.org"
ECOMMERCE = "https://ecommerce.example.org"


def slug_of(name: str) -> str:  # META-22
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[\s-]+", "-", re.sub(r"[^a-z0-9_\s-]", "", ascii_only)).strip("-_")


def with_parameters(url: str, parameters: dict[str, str]) -> str:  # META-23
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in parameters]
    merged = kept + [(name, value) for name, value in parameters.items() if value]
    whole = urlunsplit(parts._replace(query=urlencode(sorted(merged, key=lambda pair: pair[0]))))
    # An empty fragment stays, too; `urlunsplit` drops it.
    return f"{whole}#" if url.endswith("#") else whole


@dataclass(frozen=True)
class Links:
    world: World
    catalog: Catalog
    lms: str

    @property
    def utm(self) -> dict[str, str]:
        return {"utm_medium": "enterprise", "utm_source": slug_of(self.catalog.customer_name)}

    @property
    def _parameters(self) -> dict[str, str]:
        return self.utm | ({"audit": "true"} if self.catalog.audit else {})

    @property
    def _portal(self) -> str | None:
        customer = self.world.customer(self.catalog.customer)
        return (
            f"{PORTAL}/{customer['slug']}" if customer.get("enable_learner_portal") and customer.get("slug") else None
        )

    def course(self, key: str, *, advertised: str | None) -> str:  # ENR-1, ENR-2
        if self._portal:
            return with_parameters(f"{self._portal}/course/{_in_path(key)}", self._parameters)
        return self._lms_course(advertised or key)

    def run(self, key: str, *, course: str) -> str:  # ENR-1, ENR-2
        if self._portal:
            return with_parameters(
                f"{self._portal}/course/{_in_path(course)}", self._parameters | {"course_run_key": key}
            )
        return self._lms_course(key)

    def exec_ed(self, key: str, entitlements: list[Item]) -> str | None:  # ENR-3, ENR-4
        if self._portal:
            return with_parameters(f"{self._portal}/executive-education-2u/course/{_in_path(key)}", self._parameters)
        slug = self.world.customer(self.catalog.customer).get("slug")
        skus = [row.get("sku") for row in entitlements if row.get("mode") == EXEC_ED_MODE]
        if not slug or not skus or not skus[-1]:
            return None
        after = with_parameters(f"{ECOMMERCE}/executive-education-2u/checkout", self._parameters | {"sku": skus[-1]})
        return f"{self.lms}/enterprise/proxy-login/?enterprise_slug={slug}&next={quote(after, safe='')}"

    def _lms_course(self, key: str) -> str:
        path = f"{self.lms}/enterprise/{self.catalog.customer}/course/{_in_path(key)}/enroll/"
        return with_parameters(path, self._parameters | {"catalog": self.catalog.uuid})


def _in_path(key: str) -> str:
    """Return the text, with everything encoded that a URL cannot hold."""
    return quote(key, safe="/:+&=")
