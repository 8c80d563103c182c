"""
Make the URLs that depend on a catalog: UTM parameters, enrollment URLs and xAPI ids (META-22, META-23, ENR-1..4).

Pure functions over text. Settings come from `UrlContext`, so that one context serves a whole page.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache, wraps
from operator import itemgetter
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit

from django.utils.text import slugify

from enterprise_catalog.apps.core.fields import CONTENT_KEY_MAX_LENGTH

# Characters that need no encoding in a path (META-23). Old run keys contain slashes: the LMS expects them as they are,
# and some proxies refuse their encoded form.
_PATH_SAFE = "/+:@!$&'()*,;=~"
_RUN = "course_run_key"
_UTM = ("utm_medium", "utm_source")
_CACHED_TEXTS = 8192


@dataclass(frozen=True)
class UrlContext:
    """Everything about a catalog and its customer that URLs are made of. Roots have no trailing slash."""

    lms_root: str
    portal_root: str
    ecommerce_root: str
    catalog_uuid: str
    customer_uuid: str
    # None while the portal is off; then enrollment URLs lead to the LMS (ENR-2).
    portal_slug: str | None
    customer_slug: str | None
    utm: dict[str, str]
    audit: bool

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The parameters of every enrollment URL."""
        return self.utm | {"audit": "true"} if self.audit else self.utm

    # A page has hundreds of URLs, which differ in a key or two. What they share is encoded once.

    @cached_property
    def query(self) -> str:
        return _query(self.parameters.items())

    @cached_property
    def portal_courses(self) -> str:
        return f"{self.portal_root}/{_path(self.portal_slug or '')}/course/"

    @cached_property
    def lms_course_urls(self) -> "UrlAroundKey":
        return _lms_urls(self, "course")

    @cached_property
    def lms_query(self) -> str:
        return _query([*self.parameters.items(), ("catalog", self.catalog_uuid)])

    @cached_property
    def query_around_run(self) -> tuple[str, str]:
        """The encoded parameters that sort before and after `course_run_key`."""
        before = _query((name, value) for name, value in self.parameters.items() if name < _RUN)
        after = _query((name, value) for name, value in self.parameters.items() if name > _RUN)
        return before and f"{before}&", after and f"&{after}"


class UrlAroundKey(NamedTuple):
    """A URL around the key in it, and the function that encodes a key there, as URL-safe ASCII."""

    before: str
    encode: Callable[[str], str]
    after: str


def utm_parameters(customer_name: str) -> dict[str, str]:
    """
    Return the UTM parameters of a customer (META-22).

    A name without ASCII letters or digits makes `utm_source` blank, which removes one that a URL had before.
    """
    return dict(zip(_UTM, ("enterprise", slugify(customer_name)), strict=True))


def parsable_url(value: Any) -> str | None:
    """The URL if parameters can be merged into it, else None. Null, blank and broken URLs are served unchanged."""
    if not isinstance(value, str) or not value:
        return None
    try:
        urlsplit(value)
    except ValueError:
        return None
    return value


def with_utm(context: UrlContext, url: str) -> str:
    """
    Merge the catalog's UTM parameters into a URL (META-22): replace those of the same name, drop blank ones, sort by
    name. All else stays unchanged (META-23).
    """
    rest, hash_sign, fragment = url.partition("#")
    page, _, query = rest.partition("?")
    return f"{page}?{_merged(query, tuple(context.utm.items()))}{hash_sign}{fragment}"


def course_enrollment_url(context: UrlContext, *, course_key: str, advertised_run_key: str | None) -> str:
    """The URL where a learner enrols in a course that is not executive education."""
    if context.portal_slug:
        return f"{_portal_course_url(context, course_key)}?{context.query}"
    return lms_course_url(context, advertised_run_key or course_key)


def run_enrollment_url(context: UrlContext, *, run_key: str, course_key: str | None) -> str:
    """The URL where a learner enrols in one run. A run whose course is unknown is only known to the LMS."""
    before, encode, after = run_enrollment_urls(context, course_key=course_key)
    return f"{before}{encode(run_key)}{after}"


def run_enrollment_urls(context: UrlContext, *, course_key: str | None) -> UrlAroundKey:
    """The parts of `run_enrollment_url` that all runs of a course share."""
    if context.portal_slug and course_key:
        before, after = context.query_around_run
        return UrlAroundKey(f"{_portal_course_url(context, course_key)}?{before}{_RUN}=", _value, after)
    return context.lms_course_urls


def exec_ed_enrollment_url(context: UrlContext, *, course_key: str, sku: str | None) -> str | None:
    """The URL where a learner buys an executive education course; None if it cannot be bought (ENR-4)."""
    if context.portal_slug:
        base = f"{context.portal_root}/{_path(context.portal_slug)}/executive-education-2u/course/{_path(course_key)}"
        return f"{base}?{context.query}"
    if not sku or not context.customer_slug:
        return None
    checkout = f"{context.ecommerce_root}/executive-education-2u/checkout?" + _query(
        [*context.parameters.items(), ("sku", sku)]
    )
    return f"{context.lms_root}/enterprise/proxy-login/?" + _query(
        [("enterprise_slug", context.customer_slug), ("next", checkout)]
    )


def lms_course_url(context: UrlContext, key: str) -> str:
    """The URL where a learner enrols in a course or run through the LMS (ENR-2, LEG-8)."""
    before, encode, after = context.lms_course_urls
    return f"{before}{encode(key)}{after}"


def lms_program_url(context: UrlContext, uuid: str) -> str:
    """The URL where a learner enrols in a program through the LMS (LEG-8)."""
    before, encode, after = _lms_urls(context, "program")
    return f"{before}{encode(uuid)}{after}"


def xapi_activity_id(context: UrlContext, *, content_type: str, content_key: str) -> str:
    """The id of a course or run in learning records (META-14)."""
    return f"{context.lms_root}/xapi/activities/{content_type}/{content_key}"


def _portal_course_url(context: UrlContext, course_key: str) -> str:
    return f"{context.portal_courses}{_path(course_key)}"


def _lms_urls(context: UrlContext, what: str) -> UrlAroundKey:
    root = f"{context.lms_root}/enterprise/{context.customer_uuid}/{what}/"
    return UrlAroundKey(root, _path, f"/enroll/?{context.lms_query}")


def _cached(function: Callable[..., str]) -> Callable[..., str]:
    """
    Cache the results for texts that are no longer than a content key: a page has hundreds of them, and so do other
    pages. Longer ones, of which documents may hold any number, would fill the memory.
    """
    cached = lru_cache(maxsize=_CACHED_TEXTS)(function)

    @wraps(function)
    def call(text: str, *arguments: Hashable) -> str:
        return (cached if len(text) <= CONTENT_KEY_MAX_LENGTH else function)(text, *arguments)

    return call


# Discovery gives all courses of a partner the same parameters.
@_cached
def _merged(query: str, utm: tuple[tuple[str, str], ...]) -> str:
    names = dict(utm)
    return _query([(name, value) for name, value in parse_qsl(query) if name not in names] + [*utm])


@_cached
def _path(key: str) -> str:
    return quote(key, safe=_PATH_SAFE)


@_cached
def _value(key: str) -> str:
    """Encode a key as the value of a parameter."""
    return quote_plus(key)


def _query(parameters: Iterable[tuple[str, str]]) -> str:
    """Encode parameters by name, without blank ones. Repeated ones keep their order (META-23)."""
    return urlencode(sorted(((name, value) for name, value in parameters if value), key=itemgetter(0)))
