"""Generate questions about a world, each with the oracle's answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import quote

from tests.contract.oracle.courses import instant
from tests.contract.oracle.oracle import VERSIONS, Member, Oracle, Version
from tests.contract.oracle.world import Catalog, Item

ABSENT_IN_CATALOGS = {"detail": "No matching content in any catalog for this customer"}
ABSENT = {"detail": "No ContentMetadata matches the given query."}


@dataclass(frozen=True)
class Question:
    path: str
    parameters: list[tuple[str, str]]
    answer: Any
    """Of `next` and `previous`, whether there are any."""
    status: int = 200
    method: str = "GET"
    body: Any = None


@dataclass(frozen=True)
class NotBefore:
    """Equals every time that is not earlier, since an overridden item may have changed later."""

    moment: datetime

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and instant(other) >= self.moment


class Questioner:
    def __init__(
        self, oracle: Oracle, *, items_modified: dict[str, str], catalogs_modified: dict[str, str], random: Random
    ) -> None:
        """When each item (by key) and each catalog (by uuid) changed last, as the service says of it by itself."""
        self._oracle = oracle
        self._items_modified = items_modified
        self._catalogs_modified = catalogs_modified
        self._random = random
        self._keys = sorted(oracle.world.names())
        for key in self._keys[::5]:
            self._keys += [key.replace("+", " "), key.swapcase(), key + ".json", key[:-1]]
            self._keys += [key.replace("-", "").upper(), f"{key},edX+Nobody", f"nobody,{key},{self._keys[-1]}"]
        self._keys += ["edX+Nobody", "k" * 256, "course:edX+DemoX", "0", "1"]

    def _draw(self, number: int) -> list[str]:
        return self._random.sample(self._keys, number)

    def listings(self) -> Iterator[Question]:
        """Ask for everything that each catalog lists."""
        for catalog in self._oracle.catalogs:
            for version in VERSIONS:
                yield self._metadata(catalog, version, None)

    def questions(self, *, singles: int) -> Iterator[Question]:
        """Return all questions. `singles` is the number of keys to ask for one by one."""
        yield from self._about_catalogs(singles)
        yield from self._about_customers(singles)
        for coerce in False, True:
            for key in self._draw(4 * singles):
                yield self._bare_content(key, coerce=coerce)
            for number in 1, 5, 30, 60:
                yield self._bare_contents(self._draw(number), coerce=coerce)

    def _about_catalogs(self, singles: int) -> Iterator[Question]:
        for catalog in self._oracle.catalogs:
            for version in VERSIONS:
                yield self._page(catalog, version)
                for keys in ["[]"], self._draw(2), self._draw(30), *([key] for key in self._draw(singles // 4)):
                    yield self._metadata(catalog, version, keys)
                for keys in [""], self._draw(2), self._draw(9), *([key] for key in self._draw(singles)):
                    yield from self._contains(catalog, version, keys)
            yield self._diff(catalog)

    def _about_customers(self, singles: int) -> Iterator[Question]:
        for customer in sorted({catalog.customer for catalog in self._oracle.catalogs}):
            catalogs = [catalog for catalog in self._oracle.catalogs if catalog.customer == customer]
            for version in VERSIONS:
                yield from self._customer_contains(catalogs, version, [self._draw(1) for _ in range(singles // 2)])
                yield from self._customer_contains(catalogs, version, [self._draw(3), self._draw(5)])
                for chosen in catalogs, catalogs[:1]:
                    yield self._filter(chosen, version)
                for key in self._draw(singles):
                    yield from self._customer_content(catalogs, version, key)

    # --- One catalog --------------------------------------------------------------------------------------------------

    def _item(self, member: Member, catalog: Catalog, version: Version, *, links: bool = True) -> Item:
        modified = self._modified(member, catalog, with_customer=links)
        return self._oracle.render(member, catalog, version, links=links) | {"content_last_modified": modified}

    def _modified(self, member: Member, catalog: Catalog, *, with_customer: bool = True) -> Any:  # META-11, CUST-6
        customer = self._oracle.world.customer(catalog.customer).get("modified") if with_customer else None
        moments = [instant(text) for text in (self._catalogs_modified[catalog.uuid], customer) if text]
        # A run that only v2 shows cannot be asked for by itself.
        if self._oracle.differs(member, catalog) or member.key not in self._items_modified:
            return NotBefore(max(moments))
        latest = max(*moments, instant(self._items_modified[member.key]))
        return latest.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _metadata(self, catalog: Catalog, version: Version, keys: list[str] | None) -> Question:
        items = [self._item(member, catalog, version) for member in self._oracle.listed(catalog, version, keys)]
        answer = {"previous": False, "next": False, "count": len(items), "results": items} | _heading(catalog)
        parameters = [("traverse_pagination", "true"), *(("content_keys", key) for key in keys or [])]
        return Question(f"{_path(catalog, version)}/get_content_metadata/", parameters, answer)

    def _page(self, catalog: Catalog, version: Version) -> Question:  # META-2, COM-6
        members = self._oracle.listed(catalog, version)
        size = self._random.randint(1, 9)
        pages = max(1, -(-len(members) // size))
        page = self._random.randint(1, pages)
        start = (page - 1) * size
        answer = {
            "next": page < pages,
            "previous": page > 1,
            "count": len(members),
            "num_pages": pages,
            "current_page": page,
            "start": start,
            "results": [self._item(member, catalog, version) for member in members[start : start + size]],
        }
        parameters = [("page_size", str(size)), ("page", str(page))]
        return Question(f"{_path(catalog, version)}/get_content_metadata/", parameters, answer | _heading(catalog))

    def _contains(self, catalog: Catalog, version: Version, keys: list[str]) -> Iterator[Question]:  # CONT-3 to CONT-5
        for match, holds in ("any", any), ("all", all):
            parts = match == "all"
            answer = holds(self._oracle.contains(catalog, key, version, all_parts=parts) for key in keys)
            parameters = [("match", match), *map(self._named, keys)]
            path = f"{_path(catalog, version)}/contains_content_items/"
            yield Question(path, parameters, {"contains_content_items": answer})

    def _named(self, key: str) -> tuple[str, str]:
        return self._random.choice(["course_run_ids", "program_uuids"]), key

    def _diff(self, catalog: Catalog) -> Question:  # DIFF-1, DIFF-2
        members = self._oracle.members(catalog, 1)
        given = self._draw(40) + self._random.sample(sorted(members), len(members) // 2)
        keys = _unique(given)
        answer = {
            "items_not_found": [{"content_key": key} for key in keys if key not in members],
            "items_not_included": [{"content_key": key} for key in members if key not in keys],
            "items_found": [
                {"content_key": key, "date_updated": self._modified(member, catalog)}
                for key, member in members.items()
                if key in keys
            ],
        }
        body = {"content_keys": given + given[:3]}
        return Question(f"{_path(catalog, 1)}/generate_diff/", [], answer, method="POST", body=body)

    # --- All catalogs of a customer -----------------------------------------------------------------------------------

    def _customer_contains(
        self, catalogs: list[Catalog], version: Version, drawn: list[list[str]]
    ) -> Iterator[Question]:  # CONT-7
        path = f"{_customer_path(catalogs[0], version)}/contains_content_items/"
        for keys in drawn:
            for match, holds in ("any", any), ("all", all):
                found = {
                    catalog.uuid: [
                        self._oracle.contains(catalog, key, version, all_parts=match == "all") for key in keys
                    ]
                    for catalog in catalogs
                }
                uuids = [uuid for uuid, contained in found.items() if holds(contained)]
                parameters = [("match", match), ("get_catalog_list", "True"), *map(self._named, keys)]
                yield Question(path, parameters, {"contains_content_items": bool(uuids), "catalog_list": uuids})

    def _filter(self, catalogs: list[Catalog], version: Version) -> Question:  # FILT-1
        given = self._draw(60)
        kept = [
            key for key in _unique(given) if any(self._oracle.contains(catalog, key, version) for catalog in catalogs)
        ]
        body = {"content_keys": given, "catalog_uuids": [catalog.uuid for catalog in catalogs]}
        path = f"{_customer_path(catalogs[0], version)}/filter_content_items/"
        return Question(path, [], {"filtered_content_keys": kept}, method="POST", body=body)

    def _customer_content(self, catalogs: list[Catalog], version: Version, key: str) -> Iterator[Question]:
        """Ask for content of a customer by one key, with and without links (CUST-5, CUST-6)."""
        found = ((catalog, self._oracle.look_up(catalog, key, version)) for catalog in catalogs)
        hit = next(((catalog, member) for catalog, member in found if member), None)
        path = f"{_customer_path(catalogs[0], version)}/content-metadata/{quote(key, safe='')}/"
        for links in True, False:
            parameters = [("skip_customer_fetch", str(not links))]
            if hit:
                yield Question(path, parameters, self._item(hit[1], hit[0], version, links=links))
            else:
                yield Question(path, parameters, ABSENT_IN_CATALOGS, status=404)

    # --- No catalog ---------------------------------------------------------------------------------------------------

    def _bare_item(self, member: Member) -> Item:
        return self._oracle.render(member, None, 1) | {"content_last_modified": self._items_modified.get(member.key)}

    def _bare_content(self, key: str, *, coerce: bool) -> Question:  # CM-1
        member = self._oracle.look_up_bare(key, coerce=coerce)
        path = f"/api/v1/content-metadata/{quote(key, safe='')}/"
        parameters = [("coerce_to_parent_course", str(coerce))]
        if member is None:
            return Question(path, parameters, ABSENT, status=404)
        return Question(path, parameters, self._bare_item(member))

    def _bare_contents(self, keys: list[str], *, coerce: bool) -> Question:  # CM-2
        found = [member for key in keys for member in self._oracle.look_up_all_bare(key, coerce=coerce)]
        items = [self._bare_item(member) for _, member in sorted({member.key: member for member in found}.items())]
        answer = {"count": len(items), "next": False, "previous": False, "results": items}
        parameters = [("page_size", "100"), ("coerce_to_parent_course", str(coerce))]
        parameters += [("content_identifiers", key) for key in keys]
        return Question("/api/v1/content-metadata/", parameters, answer)


def _path(catalog: Catalog, version: Version) -> str:
    return f"/api/v{version}/enterprise-catalogs/{catalog.uuid}"


def _customer_path(catalog: Catalog, version: Version) -> str:
    return f"/api/v{version}/enterprise-customer/{catalog.customer}"


def _heading(catalog: Catalog) -> Item:
    return {"uuid": catalog.uuid, "title": catalog.title, "enterprise_customer": catalog.customer}


def _unique(keys: list[str]) -> list[str]:
    """Return the keys once, in the order given, with plus signs restored (COM-12)."""
    return list(dict.fromkeys(key.replace(" ", "+") for key in keys))
