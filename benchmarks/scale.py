"""
Measure a store of the size of a large operator's, made of copies inside the database.

It measures the sizes of tables and indexes, and what reads cost there.
"""

from typing import Any
from urllib.parse import quote

from benchmarks import client
from benchmarks.questions import catalog_path
from benchmarks.reads import summary
from benchmarks.stage import Stage

CONTENTS, CATALOGS, MEMBERSHIPS = 100_000, 50_000, 1_000_000
# A query gets as many members as a small catalog.
_MEMBERS = 50
_QUERIES = MEMBERSHIPS // _MEMBERS
_TABLES = (
    "catalog_contentmetadata",
    "catalog_contentdocuments",
    "catalog_nestedrun",
    "catalog_catalogquery",
    "catalog_enterprisecatalog",
    "catalog_catalogcontentkey",
)
# Coprime to the number of contents, so that each query has members from everywhere.
_STRIDE, _STEP = 7919, 1_009
_READS, _ASKED = 400, 2000


def measure_scale(stage: Stage) -> dict[str, Any]:
    """Return rows, megabytes and bytes per row by table, and times of reads in milliseconds."""
    _fill(stage)
    stage.sql(f"ANALYZE TABLE {', '.join(_TABLES)}")
    tables = {table: _weight(stage, table) for table in _TABLES}
    uuids = [
        uuid
        for (uuid,) in stage.sql("SELECT uuid FROM catalog_enterprisecatalog WHERE title = 'copy' LIMIT %s", _ASKED)
    ]
    keys = [key for (key,) in stage.sql("SELECT content_key FROM scale_contents LIMIT %s", _ASKED)]
    base = [catalog_path(uuid) for uuid in uuids]
    questions = {
        "contains, 1 key": [
            f"{path}contains_content_items/?course_run_ids={quote(key, safe='')}"
            for path, key in zip(base, keys, strict=True)
        ],
        "page of 10": [f"{path}get_content_metadata/?page_size=10" for path in base],
    }
    times = {}
    with stage.web() as web:
        for name, paths in questions.items():
            asked = [client.request(path, token=stage.token) for path in paths]
            client.burst(web.port, asked, clients=8, count=_READS)
            times[name] = summary([client.burst(web.port, asked[_READS:], clients=1, count=_READS)])
    return {"tables": tables, "reads": times}


def _fill(stage: Stage) -> None:
    known = stage.sql("SELECT COUNT(*) FROM catalog_contentmetadata")[0][0]
    courses = stage.sql("SELECT COUNT(*) FROM catalog_contentmetadata WHERE content_type = 'course'")[0][0]
    times = -(-(CONTENTS - known) // courses)
    course = "source.content_type = 'course'"
    of_course = "source.{} IN (SELECT content_key FROM catalog_contentmetadata WHERE content_type = 'course')"
    for table, columns, which in (
        ("catalog_contentmetadata", {"content_key": "CONCAT(source.content_key, '.', seq)"}, course),
        (
            "catalog_contentdocuments",
            {"content_key": "CONCAT(source.content_key, '.', seq)"},
            of_course.format("content_key"),
        ),
        (
            "catalog_nestedrun",
            {
                "course_key": "CONCAT(source.course_key, '.', seq)",
                "run_key": "CONCAT(source.run_key, '.', seq)",
                "id": "NULL",
            },
            of_course.format("course_key"),
        ),
    ):
        _copy(stage, table, columns, times=times, which=which)
    one = "source.id = (SELECT MIN(id) FROM catalog_catalogquery WHERE title LIKE 'small%%')"
    query = {
        "id": "NULL",
        "uuid": "MD5(CONCAT('uuid', seq))",
        "title": "CONCAT('copy-', seq)",
        "content_filter_hash": "MD5(CONCAT('hash', seq))",
        "equivalence_key": "MD5(CONCAT('key', seq))",
        **{column: str(_MEMBERS) for column in ("member_count", "count_v1", "count_v2", "count_legacy")},
    }
    _copy(stage, "catalog_catalogquery", query, times=_QUERIES, which=one)
    catalog = {
        "uuid": "MD5(CONCAT('catalog', seq))",
        "title": "'copy'",
        "enterprise_uuid": "MD5(CONCAT('customer', seq MOD 10000))",
        "catalog_query_id": (
            f"(SELECT id FROM catalog_catalogquery WHERE title = CONCAT('copy-', 1 + seq MOD {_QUERIES}))"
        ),
    }
    first = "source.uuid = (SELECT MIN(uuid) FROM catalog_enterprisecatalog)"
    _copy(stage, "catalog_enterprisecatalog", catalog, times=CATALOGS, which=first)
    stage.sql(
        "CREATE TABLE scale_contents (number INT PRIMARY KEY, content_key VARCHAR(255) COLLATE utf8mb4_bin) AS"
        " SELECT ROW_NUMBER() OVER (ORDER BY content_key) - 1 AS number, content_key FROM catalog_contentmetadata"
    )
    total = stage.sql("SELECT COUNT(*) FROM scale_contents")[0][0]
    stage.sql(
        "INSERT INTO catalog_catalogcontentkey"
        " (catalog_query_id, content_key, standing_v1, standing_v2, standing_legacy)"
        f" SELECT query.id, content.content_key, 2, 2, 2 FROM catalog_catalogquery query JOIN seq_1_to_{_MEMBERS} nth"
        f" JOIN scale_contents content ON content.number = (query.id * {_STRIDE} + nth.seq * {_STEP}) MOD {total}"
        " WHERE query.title LIKE 'copy-%%'"
    )


def _copy(stage: Stage, table: str, columns: dict[str, str], *, times: int, which: str) -> None:
    """Insert copies of these rows, with other values in some columns."""
    rows = stage.sql(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'enterprise_catalog' AND table_name = %s ORDER BY ordinal_position",
        table,
    )
    values = ", ".join(columns.get(name, f"source.{name}") for (name,) in rows)
    stage.sql(f"INSERT INTO {table} SELECT {values} FROM {table} source JOIN seq_1_to_{times} WHERE {which}")


def _weight(stage: Stage, table: str) -> dict[str, float]:
    rows = stage.sql(f"SELECT COUNT(*) FROM {table}")[0][0]
    data, indexes = stage.sql(
        "SELECT data_length, index_length FROM information_schema.tables"
        " WHERE table_schema = 'enterprise_catalog' AND table_name = %s",
        table,
    )[0]
    return {"rows": rows, "data_mb": data / 1e6, "index_mb": indexes / 1e6, "bytes_per_row": (data + indexes) / rows}
