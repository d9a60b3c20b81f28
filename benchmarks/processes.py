"""What several processes gain on this machine, and what links between hosts would leave of it.

    python benchmarks/processes.py [--rounds 5] [--links 1gbit 10gbit] [--steps 10]

Whole runs of ``mxgan train``, recipe ``gluon-tutorial``, 64 faces a step, interleaved; the seconds of a step are the
median of those in the log after the first two. Prints Markdown tables. With ``--links``, which need root, iproute2 and
Linux, the two processes live in network namespaces of their own, whose link has that rate (tc's token bucket).
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
WARM = 2
NUMBERS = 3_987_267 + 2_766_529  # trained by netG and netD of 64 channels: 4 bytes each travel
ROWS = {  # processes, threads each, faces a step in all, further options
    "1 process, 2 threads": (1, 2, 64, ()),
    "1 process, 1 thread, 32 faces": (1, 1, 32, ()),
    "2 processes, 1 thread each": (2, 1, 64, ()),
    "the same, `--sync-batchnorm`": (2, 1, 64, ("--sync-batchnorm",)),
}
HOSTS = ("10.77.0.1", "10.77.0.2")
SPACES = ("mxgan-1", "mxgan-2")


def seconds_a_step(
    steps: int, count: int, threads: int, faces: int, more: tuple[str, ...], linked: bool = False
) -> float:
    """One run of ``count`` processes; ``linked``: each in the namespace of its rank."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        command = [sys.executable, str(ROOT / "run_gan.py"), "train", "--data", "painted:640", "--out", "run"]
        command += ["--recipe", "gluon-tutorial", "--batch-size", str(faces), "--steps", str(steps + WARM)]
        command += ["--engine", "pytorch", "--threads", str(threads), "--evaluate-every", "0", *more]
        shared = {"WORLD_SIZE": str(count), "MASTER_ADDR": HOSTS[0] if linked else "127.0.0.1"}
        shared |= {"MASTER_PORT": str(port), "OMP_NUM_THREADS": str(threads)}
        free.close()
        running = []
        for rank in range(count):
            place = {"RANK": str(rank), "LOCAL_RANK": str(rank)} if count > 1 else {}
            if linked:
                place["GLOO_SOCKET_IFNAME"] = f"veth{rank}"
            prefix = ["ip", "netns", "exec", SPACES[rank]] if linked else []
            environment = {**os.environ, **(shared if count > 1 else {}), **place}
            running.append(
                subprocess.Popen(
                    prefix + command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
                )
            )
        for process in running:
            _, said = process.communicate()
            if process.returncode:
                sys.exit(f"{' '.join(command)}: {said.decode(errors='replace')[-500:]}")
        lines = [json.loads(line) for line in (Path(folder) / "run" / "log.jsonl").read_text().splitlines()]
    at = [line["seconds"] for line in lines if "loss_d" in line]
    return median(later - earlier for earlier, later in zip(at[WARM - 1 :], at[WARM:]))


@contextmanager
def link(rate: str) -> Iterator[None]:
    """Two network namespaces on one link of ``rate``, as tc writes it, in each direction."""
    try:
        for rank, space in enumerate(SPACES):
            _ip("netns", "add", space)
            _ip("-n", space, "link", "set", "lo", "up")
            if rank:
                _ip("link", "add", "veth0", "netns", SPACES[0], "type", "veth", "peer", "veth1", "netns", space)
        for rank, (space, host) in enumerate(zip(SPACES, HOSTS)):
            _ip("-n", space, "addr", "add", f"{host}/24", "dev", f"veth{rank}")
            _ip("-n", space, "link", "set", f"veth{rank}", "up")
            shaped = ["tc", "qdisc", "add", "dev", f"veth{rank}", "root", "tbf", "rate", rate, "burst", "4mb"]
            subprocess.run(["ip", "netns", "exec", space, *shaped, "latency", "50ms"], check=True)
        yield
    finally:
        for space in SPACES:
            subprocess.run(["ip", "netns", "del", space], check=False)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def measured(rounds: int, steps: int, links: list[str]) -> dict[str, list[float]]:
    """The seconds of a step of each row, a figure each round."""
    found: dict[str, list[float]] = {}
    for number in range(rounds):
        for label, (count, threads, faces, more) in ROWS.items():
            found.setdefault(label, []).append(seconds_a_step(steps, count, threads, faces, more))
        for rate in links:
            with link(rate):
                label = f"2 processes, 1 thread each, over {rate}"
                found.setdefault(label, []).append(seconds_a_step(steps, 2, 1, 64, (), linked=True))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return found


def model(compute: float, processes: int, gigabits: float, delay: float = 50e-6) -> tuple[float, float]:
    """The share of a step that isn't waiting, on a ring of ``processes``: as it is, and if all could be hidden.

    ``compute``: seconds of one process's own work. A ring moves 2 (P - 1)/P of the bytes through each link, in
    2 (P - 1) messages, for each of the two networks. The backward passes, two thirds of the work, could hide what
    travels; the optimisers can't begin before the last of it has come.
    """
    travel = 2 * (processes - 1) / processes * 4 * NUMBERS * 8 / (gigabits * 1e9) + 4 * (processes - 1) * delay
    return compute / (compute + travel), compute / (compute + max(0.0, travel - compute * 2 / 3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--links", nargs="*", default=[], metavar="RATE", help="such as 1gbit 10gbit; needs root")
    asked = parser.parse_args()
    found = measured(asked.rounds, asked.steps, asked.links)
    base = found["1 process, 2 threads"]
    print("| | s a step, median (range) | images/s | of one process with 2 threads |\n|---|---|---|---|")
    for label, times in found.items():
        faces = ROWS[label][2] if label in ROWS else 64
        ratio = median(one / other * faces / 64 for one, other in zip(base, times))
        spread = f"{median(times):.3f} ({min(times):.3f} to {max(times):.3f})"
        print(f"| {label} | {spread} | {faces / median(times):.1f} | {ratio:.2f} |")
    print(f"\n{4 * NUMBERS / 1e6:.1f} MB are summed a step.\n")
    print("| own work a step | processes | 1 Gbit/s | 10 Gbit/s | 100 Gbit/s |\n|---|---|---|---|---|")
    for compute in (median(found["1 process, 1 thread, 32 faces"]), 0.02):
        for processes in (2, 4, 8, 16, 32, 64):
            cells = (model(compute, processes, gigabits) for gigabits in (1, 10, 100))
            shares = " | ".join(f"{100 * now:.0f} % ({100 * hidden:.0f} %)" for now, hidden in cells)
            print(f"| {1000 * compute:.0f} ms | {processes} | {shares} |")


if __name__ == "__main__":
    main()
