"""How many faces `mxgan serve` gives in a second, and how long one takes: ``python benchmarks/serve.py``.

A server on one core and a client on another, on loopback. Each client has one connection, and asks for the next face
when it has the last. No face is asked for twice. Beside it, in turn: the same server that draws each face by itself.
Takes about a minute; on a busy machine only the ratios mean something.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from mxgan import machine
from mxgan.architecture.wishes import NONE

CLIENTS = (1, 32)
LONGEST = 30.0  # seconds that a round may take, whatever the server does


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="onnx", help="what computes [default: onnx]")
    parser.add_argument("--weights", default="painted", help="as for mxgan serve [default: painted]")
    parser.add_argument("--seconds", type=float, default=4, help="of a round, at most 20 [default: 4]")
    parser.add_argument("--rounds", type=int, default=3, help="of each, in turn [default: 3]")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--serve", type=int, metavar="BATCH", help=argparse.SUPPRESS)  # this process is the server
    asked = parser.parse_args()
    if asked.serve is not None:
        return serve(asked.weights, asked.engine, asked.serve or None)
    found = asyncio.run(measure(asked.weights, asked.engine, min(asked.seconds, 20), asked.rounds))
    report = {"engine": asked.engine, "machine": machine.describe(), "load": os.getloadavg()[0], "rows": found}
    print(json.dumps(report, indent=2) if asked.json else table(report))
    return None


def serve(weights: str, engine: str, most: int | None) -> None:
    """Be a server on one core; ``most``: pictures in a batch."""
    from mxgan.page.server import start

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    start.serve(
        None,
        Path(weights),
        "127.0.0.1",
        0,
        engine,
        "cpu",
        NONE,
        lambda _: None,
        lambda line: print(line, flush=True),
        most,
    )


async def measure(weights: str, engine: str, seconds: float, rounds: int) -> list[dict]:
    """All rounds, batched and unbatched in turn."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    servers = {name: started(weights, engine, most) for name, most in (("batched", 0), ("one by one", 1))}
    indices = itertools.count()
    found: dict[tuple[str, int], list[tuple[float, list[float], float]]] = {}
    try:
        for port in (port for _, port in servers.values()):
            await clients(port, 4, 0.5, indices)  # warm
        for _ in range(rounds):
            for (name, (process, port)), count in itertools.product(servers.items(), CLIENTS):
                before = processor_time(process.pid)
                rate, times = await clients(port, count, seconds, indices)
                used = (processor_time(process.pid) - before) / len(times)
                found.setdefault((name, count), []).append((rate, times, used))
    finally:
        for process, _ in servers.values():
            process.terminate()
            process.wait(10)
    return [
        {
            "server": name,
            "clients": count,
            "faces_per_s": round(statistics.median(rate for rate, _, _ in results), 1),
            "fastest_round": round(max(rate for rate, _, _ in results), 1),
            "median_ms": round(statistics.median(statistics.median(times) for _, times, _ in results) * 1000, 2),
            "p95_ms": round(
                statistics.median(statistics.quantiles(times, n=20)[-1] for _, times, _ in results) * 1000, 2
            ),
            "processor_ms": round(statistics.median(used for _, _, used in results) * 1000, 2),
        }
        for (name, count), results in found.items()
    ]


def started(weights: str, engine: str, most: int) -> tuple[subprocess.Popen, int]:
    """A server in a process of its own, and its port."""
    command = [sys.executable, __file__, "--serve", str(most), "--weights", weights, "--engine", engine]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])


def processor_time(pid: int) -> float:
    """The seconds of processor time that a process has used; what others do on the machine hardly changes them."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def clients(port: int, count: int, seconds: float, indices: itertools.count) -> tuple[float, list[float]]:
    """Faces in a second, and the seconds that each took."""
    start = time.perf_counter()
    work = [client(port, start + seconds, indices) for _ in range(count)]
    times = [one for many in await asyncio.wait_for(asyncio.gather(*work), LONGEST) for one in many]
    return len(times) / (time.perf_counter() - start), times


async def client(port: int, end: float, indices: itertools.count) -> list[float]:
    """Ask for one face after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times = []
    while time.perf_counter() < end:
        start = time.perf_counter()
        writer.write(f"GET /face.png?seed=1&index={next(indices)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        (length,) = (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        picture = await reader.readexactly(length)
        times.append(time.perf_counter() - start)
        assert picture.startswith(b"\x89PNG")
    writer.close()
    return times


def table(report: dict) -> str:
    """The rows in Markdown."""
    head = (
        "| server | clients | faces/s | fastest round | median, ms | 95 %, ms | processor time, ms a face |\n|"
        + "---|" * 7
    )
    keys = ("server", "clients", "faces_per_s", "fastest_round", "median_ms", "p95_ms", "processor_ms")
    rows = ["| " + " | ".join(str(row[key]) for key in keys) + " |" for row in report["rows"]]
    where = f"{report['engine']}, one core of {report['machine']['processor']}; load {report['load']:.1f}"
    return "\n".join([where, "", head, *rows])


if __name__ == "__main__":
    main()
