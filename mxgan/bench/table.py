"""From measurements to the table: the ratio or value of each row, and whether it meets its target."""

from __future__ import annotations

import datetime
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Optional

from mxgan import __version__, machine
from mxgan.bench import children, quiet
from mxgan.bench.children import Measured
from mxgan.bench.jobs import Row, gflop_of_step, groups
from mxgan.bench.peers.gemm import FLOPS
from mxgan.errors import MxganError
from mxgan.words import counted

WAITING, RATE, FIRST_STEP = 0.01, 0.65, 6.0  # targets: shares, and seconds
PATIENCE = 120  # seconds to wait for a first step


def run(
    rounds: int = 7, batch_size: int = 64, threads: Optional[int] = None, say: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Measure the whole table; returns JSON values, which `mxgan bench --help` lists.

    ``say`` is called with a line of progress before each measurement. Raises MxganError for a number below 1.
    """
    if rounds < 1 or batch_size < 1:
        raise MxganError(f"rounds {rounds}, batch_size {batch_size}: whole numbers of at least 1")
    threads = threads or machine.usable_cores()
    say("faces: painted, packed once")
    _pack()
    started, watch = datetime.datetime.now().astimezone(), quiet.Watch()
    rows, found = [], {}
    for group in groups(batch_size, threads):
        measured = children.measure(group.jobs, rounds, threads, say)
        found.update(measured)
        rows += [_row(row, measured) for row in group.rows]
    gemm = _gemm(found)
    rows += [
        _waiting(found["mxnet"]),
        _rate(found["mxnet"], gemm, batch_size),
        _first_step(rounds, threads, say),
    ]
    return {
        "date": started.isoformat(timespec="seconds"),
        "minutes": round((datetime.datetime.now().astimezone() - started).total_seconds() / 60, 1),
        "machine": machine.describe(),
        "load": watch.report(),
        "threads": threads,
        "rounds": rounds,
        "versions": {"mxgan": __version__, **_versions(found)},
        "gemm": gemm,
        "rows": rows,
        "seconds": {name: [round(one, 5) for one in each.seconds] for name, each in found.items()},
    }


def _row(row: Row, found: dict[str, Measured]) -> dict[str, Any]:
    """One comparison: the ratio of the medians, and the lowest and highest of the rounds' ratios."""
    said = {"work": row.work, "against": row.against, "unit": "times", "target": row.target}
    able = [name for name in row.ours if found[name].problem is None]
    problems = [problem for name in (row.theirs, *row.ours) if (problem := found[name].problem)]
    if not able or found[row.theirs].problem:
        return {**said, "value": None, "met": None, "note": f"not measured: {'; '.join(problems)}"}
    best = min(able, key=lambda name: found[name].median)
    ours, theirs = found[best], found[row.theirs]
    ratios = [a / b for a, b in zip(theirs.seconds, ours.seconds)]
    value = theirs.median / ours.median
    return {
        **said,
        "value": round(value, 3),
        "low": round(min(ratios), 3),
        "high": round(max(ratios), 3),
        "met": value >= row.target,
        "by": best,
        "ours_s": round(ours.median, 4),
        "theirs_s": round(theirs.median, 4),
        "by_processor_time": round(_by_processor_time(able, theirs, found), 3),
        "note": "; ".join(problems),
    }


def _by_processor_time(able: list[str], theirs: Measured, found: dict[str, Measured]) -> float:
    """The same ratio in processor time: a busy machine distorts it less, but threads that spin count as work."""
    return median(theirs.processor) / min(median(found[name].processor) for name in able)


def _gemm(found: dict[str, Measured]) -> dict[str, Any]:
    """The fastest float32 matrix product of the run: its GFLOP/s, its library, and those of all."""
    rates = {
        name.partition(", ")[2]: FLOPS / min(each.seconds) / 1e9
        for name, each in found.items()
        if name.startswith("gemm") and each.seconds
    }
    if not rates:
        return {"gflops": None, "by": None, "all": {}}
    best = max(rates, key=rates.__getitem__)
    return {"gflops": round(rates[best], 1), "by": best, "all": {name: round(rate, 1) for name, rate in rates.items()}}


def _waiting(ours: Measured) -> dict[str, Any]:
    said = {"work": "share of a step spent waiting for faces", "against": "painted, packed cache", "unit": "share"}
    if not ours.waiting:
        return {**said, "target": WAITING, "value": None, "met": None, "note": f"not measured: {ours.problem}"}
    value = median(ours.waiting)
    return {
        **said,
        "target": WAITING,
        "value": round(value, 6),
        "low": round(min(ours.waiting), 6),
        "high": round(max(ours.waiting), 6),
        "met": value < WAITING,
        "note": "",
    }


def _rate(ours: Measured, gemm: dict[str, Any], batch: int) -> dict[str, Any]:
    said = {
        "work": f"arithmetic rate of the step, batch {batch}, MXNet engine",
        "against": "best float32 matrix product of this run",
        "unit": "share",
        "target": RATE,
    }
    if not ours.seconds or not gemm["gflops"]:
        return {**said, "value": None, "met": None, "note": "not measured"}
    gflop = gflop_of_step(batch)
    rates = [gflop / seconds for seconds in ours.seconds]
    value = gflop / ours.median / gemm["gflops"]
    return {
        **said,
        "value": round(value, 3),
        "low": round(min(rates) / gemm["gflops"], 3),
        "high": round(max(rates) / gemm["gflops"], 3),
        "met": value >= RATE,
        "note": f"{gflop:.1f} GFLOP a step, {gflop / ours.median:.0f} of {gemm['gflops']:.0f} GFLOP/s ({gemm['by']})",
    }


def _first_step(rounds: int, threads: int, say: Callable[[str], None]) -> dict[str, Any]:
    """From the start of `mxgan train` to the first step's line in its log, in a fresh process each time."""
    said = {"work": "from start to the first step, seconds", "against": "mxgan train, faces packed", "unit": "s"}
    seconds = []
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: first step")
        one = _seconds_to_first_step(threads)
        if isinstance(one, str):
            return {**said, "target": FIRST_STEP, "value": None, "met": None, "note": f"not measured: {one}"}
        seconds.append(one)
    return {
        **said,
        "target": FIRST_STEP,
        "value": round(median(seconds), 3),
        "low": round(min(seconds), 3),
        "high": round(max(seconds), 3),
        "met": median(seconds) < FIRST_STEP,
        "note": "",
    }


def _seconds_to_first_step(threads: int) -> float | str:
    """The seconds, or the reason why there was no first step."""
    with tempfile.TemporaryDirectory(prefix="mxgan-bench-") as folder, tempfile.TemporaryFile("w+") as said:
        out = Path(folder) / "run"
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "mxgan", "train", "--steps", "2", "--threads", str(threads), "--out", str(out)],
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=children.environment(threads),
        )
        try:
            while not _written(out / "log.jsonl"):
                if process.poll() is not None:
                    said.seek(0)
                    return (said.read().strip().splitlines() or [f"ended with status {process.returncode}"])[-1]
                if time.perf_counter() - start > PATIENCE:
                    return f"no step in {PATIENCE} s"
                time.sleep(0.005)
            return time.perf_counter() - start
        finally:
            process.kill()
            process.wait()


def _written(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except OSError:
        return False


def _pack() -> None:
    """Put the painted faces into the cache, before anything is timed."""
    from mxgan.faces import open_faces

    open_faces("painted", progress=False)


def _versions(found: dict[str, Measured]) -> dict[str, str]:
    return {name: version for each in found.values() for name, version in each.versions.items()}


def lines(report: dict[str, Any]) -> list[str]:
    """The report for people: a table in Markdown."""
    where, load = report["machine"], report["load"]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    said = [
        f"{where['processor']}, {where['cores_usable']} of {where['cores']} cores, {where['memory_gb']} GB, "
        f"{where['system']}",
        f"{report['date']}, {counted(report['threads'], 'thread')}, {counted(report['rounds'], 'round')}, "
        f"{report['minutes']} min",
        f"{versions}, python {where['python']}",
        _load_line(load),
        _gemm_line(report["gemm"]),
        "",
        "| work | against | ours | theirs | ratio or value | rounds' spread | by processor time | target | met |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    said += [_line(row) for row in report["rows"]]
    notes = [f"- {row['work']}: {row['note']}" for row in report["rows"] if row["note"]]
    return [*said, *(["", *notes] if notes else [])]


def _line(row: dict[str, Any]) -> str:
    target = {"times": f"≥ {row['target']}×", "s": f"< {row['target']:g} s"}.get(row["unit"])
    if target is None:
        target = f"{'<' if row['target'] == WAITING else '≥'} {row['target']:.0%}"
    if row["value"] is None:
        return f"| {row['work']} | {row['against']} | | | not measured | | | {target} | |"
    share = "{:.3%}" if row["target"] == WAITING else "{:.0%}"
    show = {"times": "{:.2f}×", "s": "{:.2f} s", "share": share}[row["unit"]]
    ours, theirs = (f"{row[name]:.3f} s" if name in row else "" for name in ("ours_s", "theirs_s"))
    if "by" in row:
        ours += f" ({row['by'].partition(',')[0]})"
    spread = f"{show.format(row['low'])} to {show.format(row['high'])}"
    met = "yes" if row["met"] else "no"
    processor = show.format(row["by_processor_time"]) if "by_processor_time" in row else ""
    value = show.format(row["value"])
    cells = (row["work"], row["against"], ours, theirs, value, spread, processor, target, met)
    return f"| {' | '.join(cells)} |"


def _load_line(load: dict[str, Any]) -> str:
    if load["others"] is None:
        return "this system doesn't tell how busy the machine was"
    said = (
        f"before: load {load['load_before']}, {load['others_before']:.0%} of the cores at work; "
        f"meanwhile others took {load['others']:.0%}, and {load['stolen']:.0%} was stolen by the host"
    )
    return f"THE MACHINE WAS BUSY, don't trust these numbers: {said}" if load["busy"] else f"a quiet machine: {said}"


def _gemm_line(gemm: dict[str, Any]) -> str:
    each = ", ".join(f"{name} {rate:.0f}" for name, rate in gemm["all"].items())
    return f"float32 matrix products of 2048×2048, GFLOP/s, best: {each or 'not measured'}"
