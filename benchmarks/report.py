"""Write the report of a run: targets and measurements as reStructuredText, with two plots."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import targets
from benchmarks.data import HUNDRED, LARGE, LARGEST

_READS = (
    "What",
    "SQL",
    "kB",
    "p50",
    "p95",
    "p99",
    "req/s at 8",
    "p99 at 8",
    "times floor",
    "at 8",
    "ms of web",
    "of database",
)
_WORK = ("What", "Own s", "Discovery s", "SQL", "Rows", "of content", "of membership", "kB to database", "Peak MB")


def write_report(results: dict[str, Any], directory: Path) -> None:
    """Write `figures.rst`, `reads.svg` and `pages.svg`."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "figures.rst").write_text(figures(results))
    _plot_ratios(results["reads"], directory / "reads.svg")
    _plot_pages(results["reads"], directory / "pages.svg")


def figures(results: dict[str, Any]) -> str:
    machine = results["machine"]
    verdicts = targets.judge(results)
    missed = [verdict for verdict in verdicts if not verdict.met]
    parts = [
        f"Measured on {machine['date']} at commit {machine['commit']}: {machine['cores']} cores"
        f" ({machine['processor']}), {machine['memory_gb']} GB, Python {machine['python']}, {machine['database']};"
        f" {len(verdicts) - len(missed)} of {len(verdicts)} targets are met. Targets in seconds are those of the"
        f" design's machine times {targets.pace_of(results['reads']):.2f}, by which its framework floor was faster.",
        _title("Targets"),
        _table(("What", "Measured", "At most", ""), [_verdict_row(verdict) for verdict in verdicts]),
        _title("Reads (ms)"),
        _table(_READS, [_read_row(name, read) for name, read in results["reads"].items()]),
        _title("First requests of new processes on a new database server (ms)"),
        _table(
            ("What", "First", "Second", "Warm"),
            [(name, *map(_number, cold.values())) for name, cold in results["cold"].items()],
        ),
        _title("Reads while a worker refreshes 5,000 items (ms, 2 at once)"),
        _table(("What", "p50", "p95", "p99", "Requests"), [_time_row(*item) for item in results["meanwhile"].items()]),
        _title("Walks of ten clients at once"),
        _table(
            ("What", "Pages", "All seconds", "p50 ms", "p99 ms", "First page ms", "Last page ms"),
            [_walk_row(*item) for item in results["walks"].items()],
        ),
        _title("Whole catalogs in one answer, two at once"),
        _table(
            ("What", "MB", "Seconds", "A process grows by MB"),
            [
                (name, *map(_number, (stream["bytes"] / 1e6, stream["seconds"], stream["grown_mb"])))
                for name, stream in results["streams"].items()
            ],
        ),
        _title("Refreshes"),
        _table(_WORK, [_work_row(*item) for item in {**results["load"], **results["refreshes"]}.items()]),
        _title("A day: 400 catalogs on 150 queries"),
        _table(
            ("What", "Measured"),
            [(name, _number(value)) for name, value in results["day"].items() if not isinstance(value, dict)],
        ),
        _title("A store of 100,000 items, 50,000 catalogs and 1,000,000 memberships"),
        _table(
            ("Table", "Rows", "Data MB", "Indexes MB", "Bytes per row"),
            [(name, *map(_number, weight.values())) for name, weight in results["scale"]["tables"].items()],
        ),
        _table(
            ("What", "p50", "p95", "p99", "Requests"), [_time_row(*item) for item in results["scale"]["reads"].items()]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _verdict_row(verdict: targets.Verdict) -> tuple[str, ...]:
    return verdict.what, _number(verdict.value), _number(verdict.limit), "" if verdict.met else "**missed**"


def _read_row(name: str, read: dict[str, Any]) -> tuple[str, ...]:
    one, eight = read["1"], read["8"]
    values = [read["sql"], read["bytes"] / 1000, one["p50"], one["p95"], one["p99"], eight["rate"], eight["p99"]]
    ratios = [one.get("ratio"), eight.get("ratio")]
    return (name, *map(_number, [*values, *ratios, eight["web_ms"], eight["database_ms"]]))


def _time_row(name: str, times: dict[str, float]) -> tuple[str, ...]:
    return (name, *(_number(times[key]) for key in ("p50", "p95", "p99", "requests")))


def _walk_row(name: str, walk: dict[str, Any]) -> tuple[str, ...]:
    page = walk["page"]
    values = (walk["pages"], walk["seconds"], page["p50"], page["p99"], walk["first_ms"], walk["last_ms"])
    return (name, *map(_number, values))


def _work_row(name: str, work: dict[str, Any]) -> tuple[str, ...]:
    values = [work[key] for key in ("own", "discovery", "statements", "rows", "content_rows", "membership_rows")]
    return (name, *map(_number, [*values, work["bytes"] / 1000, work["peak_mb"]]))


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _title(text: str) -> str:
    return f"{text}\n{'~' * len(text)}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (head, *rows):
        lines += [f"   {'* -' if not number else '  -'} {cell}".rstrip() for number, cell in enumerate(row)]
    return "\n".join(lines)


def _plot_ratios(reads: dict[str, Any], path: Path) -> None:
    compared = {name: read for name, read in reads.items() if read["floor"]}
    figure, axes = _figure(height=0.4 * len(compared) + 1.5)
    at = range(len(compared))
    for clients, shift in (("1", 0.2), ("8", -0.2)):
        values = [read[clients]["ratio"] for read in compared.values()]
        axes.barh([number + shift for number in at], values, height=0.38, label=f"{clients} at once")
    limits = [targets.ratio_limit(name) for name in compared]
    axes.vlines(limits, [number - 0.4 for number in at], [number + 0.4 for number in at], color="black", label="target")
    axes.set_yticks(list(at), list(compared))
    axes.invert_yaxis()
    axes.set_xlabel("times the floor")
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


def _plot_pages(reads: dict[str, Any], path: Path) -> None:
    sizes = (HUNDRED, LARGE, LARGEST)
    figure, axes = _figure(height=4)
    for size in (10, 100):
        times = [reads[f"page of {size}, catalog of {title}"]["1"]["p50"] for title in sizes]
        axes.plot([int(title) for title in sizes], times, marker="o", label=f"page of {size}")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("items in the catalog")
    axes.set_ylabel("ms for a page (p50, 1 at once)")
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


def _figure(*, height: float) -> tuple[Any, Any]:
    # Imported here, so that everything else works without matplotlib.
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Equal numbers must give equal files.
    mpl.rcParams["svg.hashsalt"] = "benchmark"
    figure = Figure(figsize=(9, height), layout="constrained")
    return figure, figure.add_subplot()
