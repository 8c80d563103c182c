"""
Hold the data of the sandbox: generated content, and the changes made to it since.

Generated documents are written on demand. Documents that were added (`upsert_*`) are kept and returned word for word.
Look-ups are by key; `search` selects by filter.
"""

import copy
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from threading import RLock
from typing import Any

from enterprise_catalog.sandbox.config import SandboxConfig
from enterprise_catalog.sandbox.documents import DocumentWriter, Json, odd_documents
from enterprise_catalog.sandbox.facts import Course, Run, iso, make_course, make_pathway, make_program
from enterprise_catalog.sandbox.records import RecordWriter
from enterprise_catalog.sandbox.text import stable_uuid, text_pool


@dataclass(frozen=True)
class Entry:
    """One document of the index: `write` renders it, `hidden` holds the fields that are only there to filter by."""

    identity: str
    content_key: str
    aggregation_uuid: str
    hidden: Json
    write: Callable[["View"], Json]
    restriction: str | None = None


@dataclass(frozen=True)
class View:
    """How much of a course's runs one request gets to see."""

    shows_run: Callable[[Run], bool] = lambda run: run.restriction is None


class Dataset:
    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        texts = text_pool(config.seed)
        self._writer = DocumentWriter(seed=config.seed, texts=texts)
        self._records = RecordWriter(seed=config.seed, texts=texts)
        self._courses = {
            course.key: course
            for course in (
                make_course(number=number, seed=config.seed, now=config.now) for number in range(config.courses)
            )
        }
        courses = tuple(self._courses.values())
        self._programs = {
            program.uuid: program
            for program in (
                make_program(number=number, seed=config.seed, courses=courses) for number in range(config.programs)
            )
        }
        self._pathways = [
            make_pathway(number=number, seed=config.seed, courses=courses, programs=tuple(self._programs.values()))
            for number in range(config.pathways)
        ]
        self._lock = RLock()
        self._raw_search: dict[str, Entry] = {}
        self._raw_records: dict[str, Json] = {}
        self._edits: dict[str, Json] = {}
        self._revisions: dict[str, int] = {}
        self._removed: set[str] = set()
        self._generated_entries: list[Entry] | None = None
        self._entries: list[Entry] | None = None

    # Reading

    @property
    def courses(self) -> dict[str, Course]:
        """Generated courses by key, removed ones included."""
        return dict(self._courses)

    def course_keys(self) -> list[str]:
        generated = [key for key in self._courses if key not in self._removed]
        added = [
            record["key"] for record in self._raw_records.values() if "key" in record and record["key"] not in generated
        ]
        return sorted({*generated, *added})

    def program_uuids(self) -> list[str]:
        generated = [uuid for uuid in self._programs if uuid not in self._removed]
        added = [record["uuid"] for record in self._raw_records.values() if "key" not in record]
        return sorted({*generated, *added})

    def course_record(self, key: str, *, restrictions: Collection[str] = ()) -> Json | None:
        with self._lock:
            if key in self._raw_records:
                return self._edited(key, _without_restricted(self._raw_records[key], restrictions))
            course = self._courses.get(key)
            if course is None or key in self._removed:
                return None
            return self._edited(key, self._records.course(course, restrictions=restrictions))

    def program_record(self, uuid: str) -> Json | None:
        with self._lock:
            if uuid in self._raw_records:
                return self._edited(uuid, copy.deepcopy(self._raw_records[uuid]))
            program = self._programs.get(uuid)
            if program is None or uuid in self._removed:
                return None
            return self._edited(uuid, self._records.program(program))

    def reviews(self) -> list[Json]:
        """Two courses of three have been reviewed."""
        present = set(self.course_keys())
        return [
            self._records.review(course)
            for course in self._courses.values()
            if course.number % 3 and course.key in present
        ]

    def entries(self) -> list[Entry]:
        """All documents of the index; the list is replaced, never changed, when content changes."""
        with self._lock:
            if self._entries is None:
                if self._generated_entries is None:
                    self._generated_entries = list(self._generated())
                generated = {entry.identity: entry for entry in self._generated_entries if not self._is_removed(entry)}
                self._entries = list({**generated, **self._raw_search}.values())
            return self._entries

    def revision(self, entry: Entry) -> int:
        """Grows when an entry's document reads differently although the entry is the same."""
        return self._revisions.get(entry.content_key, 0)

    def document(self, entry: Entry, view: View) -> Json:
        return self._edited(entry.content_key, entry.write(view))

    # Changing

    def upsert_search(
        self,
        document: Json,
        *,
        hidden: Json | None = None,
        aggregation_uuid: str | None = None,
        double: bool = False,
    ) -> None:
        """
        Put a search document in, in place of the one with the same type and key; it is returned as it is here.

        A `double` is put beside it, as two partners of discovery may have one key (DISC-8). Each has its own uuid.
        """
        document = copy.deepcopy(document)
        identity = document_identity(document)
        if double:
            identity = f"{identity}:{document['uuid']}"
        with self._lock:
            replaced = next((entry for entry in self.entries() if entry.identity == identity), None)
            content_type = str(document.get("content_type"))
            if hidden is None:
                hidden = replaced.hidden if replaced else {"partner": "edx"}
            uuid = document.get("uuid") or stable_uuid(self._config.seed, "raw", identity)
            self._raw_search[identity] = Entry(
                identity=identity,
                content_key=str(document.get("key") or document.get("uuid") or ""),
                aggregation_uuid=aggregation_uuid or f"{content_type}:{uuid}",
                hidden=hidden,
                write=_whole(partial(copy.deepcopy, document)),
            )
            self._changed()

    def upsert_record(self, record: Json) -> None:
        """Put a full record in: of a course (it has a `key`) or of a program."""
        with self._lock:
            self._raw_records[record.get("key") or record["uuid"]] = copy.deepcopy(record)
            self._changed()

    def edit(self, content_key: str, **fields: Any) -> None:
        """Replace fields in every document of an item, search documents and full record."""
        with self._lock:
            self._edits[content_key] = {**self._edits.get(content_key, {}), **copy.deepcopy(fields)}
            self._revisions[content_key] = self._revisions.get(content_key, 0) + 1
            self._changed()

    def touch(self, content_key: str) -> str:
        """Change an item's content for real, as an editor would; returns its new title."""
        with self._lock:
            revision = self._revisions.get(content_key, 0) + 1
            title = f"{content_key}, revision {revision}"
            modified = iso(self._config.now + timedelta(minutes=revision))
            self.edit(content_key, title=title, modified=modified, data_modified_timestamp=modified)
            return title

    def remove(self, content_key: str) -> None:
        """Forget an item: its documents, its record, and (for a course) its runs."""
        with self._lock:
            self._removed.add(content_key)
            self._raw_records.pop(content_key, None)
            for identity, entry in list(self._raw_search.items()):
                if entry.content_key == content_key or identity == f"courserun:{content_key}":
                    del self._raw_search[identity]
            self._changed()

    def reset(self) -> None:
        with self._lock:
            for content_key in self._edits:
                self._revisions[content_key] += 1
            for changes in (self._raw_search, self._raw_records, self._edits, self._removed):
                changes.clear()
            self._changed()

    def _changed(self) -> None:
        self._entries = None

    # Writing the index

    def _edited(self, content_key: str, document: Json) -> Json:
        fields = self._edits.get(content_key)
        return {**document, **{name: fields[name] for name in fields if name in document}} if fields else document

    def _is_removed(self, entry: Entry) -> bool:
        return bool(self._removed) and (
            entry.content_key in self._removed or entry.hidden.get("course_key") in self._removed
        )

    def _generated(self) -> Iterator[Entry]:
        for course in self._courses.values():
            yield self._course_entry(course)
            for run in course.runs:
                yield self._run_entry(course, run)
        for program in self._programs.values():
            yield _entry("program", program.uuid, program.uuid, {}, _whole(partial(self._writer.program, program)))
        for pathway in self._pathways:
            write = _whole(partial(self._writer.pathway, pathway))
            yield _entry("learnerpathway", pathway.uuid, pathway.uuid, {}, write)
        for number in range(self._config.persons):
            uuid = self._writer.person(number)["uuid"]
            yield _entry("person", uuid, uuid, {}, _whole(partial(self._writer.person, number)))
        for document in odd_documents() if self._config.odd_documents else ():
            identity = document_identity(document)
            yield Entry(
                identity=identity,
                content_key=str(document["key"]),
                aggregation_uuid=identity,
                hidden={},
                write=_whole(partial(dict, document)),
            )

    def _course_entry(self, course: Course) -> Entry:
        runs = course.visible_runs
        hidden = {
            "active": any(run.is_enrollable for run in runs),
            "authoring_organizations": course.organization.key,
            "authoring_organization_uuids": course.organization.uuid,
            "availability": [run.availability for run in runs],
            "end": [run.end for run in runs],
            "enrollment_mode": self._writer.seat_types(course),
            "first_enrollable_paid_seat_price": [run.price for run in runs],
            "has_enrollable_seats": any(run.is_enrollable for run in runs),
            "languages": course.language[0],
            "number": course.key.partition("+")[2],
            "org": course.organization.key,
            "pacing_type": [run.pacing for run in runs],
            "partner": course.partner,
            "published": any(run.status == "published" for run in runs),
            "start": [run.start for run in runs],
            "status": [run.status for run in runs],
            "subject_uuids": [stable_uuid(self._config.seed, "subject", name) for name in course.subjects],
        }
        return _entry(
            "course",
            course.key,
            course.uuid,
            hidden,
            lambda view: self._writer.course(course, runs=[run for run in course.runs if view.shows_run(run)]),
        )

    def _run_entry(self, course: Course, run: Run) -> Entry:
        hidden = {
            "active": run.is_enrollable,
            "authoring_organizations": course.organization.key,
            "course_key": course.key,
            "course_type": course.course_type,
            "enrollment_mode": self._writer.seat_types(course),
            "languages": course.language[0],
            "product_source": "2u" if course.is_exec_ed else "edx",
        }
        return _entry(
            "courserun", run.key, run.uuid, hidden, lambda view: self._writer.courserun(course, run), run.restriction
        )


def _whole(write: Callable[[], Json]) -> Callable[[View], Json]:
    """Return a writer for documents that are the same in every view."""
    return lambda view: write()


def _entry(
    content_type: str,
    content_key: str,
    uuid: str,
    hidden: Json,
    write: Callable[[View], Json],
    restriction: str | None = None,
) -> Entry:
    return Entry(
        identity=f"{content_type}:{content_key}",
        content_key=content_key,
        aggregation_uuid=f"{content_type}:{uuid}",
        hidden=hidden,
        write=write,
        restriction=restriction,
    )


def document_identity(document: Json) -> str:
    """Type and key as DISC-8 counts them; documents without either are told apart by what they say."""
    content_key = document.get("key") or document.get("uuid") or document.get("aggregation_key")
    return f"{document.get('content_type')}:{content_key}"


def _without_restricted(record: Json, restrictions: Collection[str]) -> Json:
    record = copy.deepcopy(record)
    runs = record.get("course_runs")
    if isinstance(runs, list):
        record["course_runs"] = [run for run in runs if run.get("restriction_type") in (None, *restrictions)]
    return record
