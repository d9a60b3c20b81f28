"""Kill a small run at random moments, resume it each time, and compare it with one that was never stopped.

    python benchmarks/kill_and_resume.py --engine mxnet --signal KILL --kills 50
    python benchmarks/kill_and_resume.py --engine pytorch --processes 2

One process in five is killed while it starts, the others within --span seconds of their first step. Because the run
makes a checkpoint every few steps, kills hit steps, logging and saving alike. With --processes a random one of those
that train the run is killed, and the others have to end by themselves within a minute. A finished run is compared byte
by byte, then the next one begins, until --kills is reached. Prints one JSON object; exit status 1 if a byte differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
TINY = ["--size", "32", "--ngf", "3", "--ndf", "3", "--latent", "8", "--batch-size", "8", "--threads", "1"]
TIMES = ("seconds", "images_per_s")  # these may differ in the log
PROMISED = {signal.SIGKILL: {-9}, signal.SIGTERM: {-15, 143}}  # exit statuses; -15: before there is anything to save
DESERTED = {2, 3}  # of the others: 2 where one doesn't come, 3 where one has gone
PATIENCE = 60  # seconds for the others to end


def main() -> None:
    options = _options()
    number = signal.Signals[f"SIG{options.signal}"]
    chance = random.Random(options.seed)
    folder = Path(tempfile.mkdtemp(prefix="mxgan-kills-", dir=options.folder))
    command = ["train", "--data", options.data, *TINY, "--engine", options.engine, "--steps", str(options.steps)]
    command += ["--checkpoint-minutes", "0.005", *options.more]

    started = time.monotonic()
    reference = folder / "never-stopped"
    trained = Processes(options.processes, number, chance)
    trained.run([*command, "--out", str(reference)], reference, None)
    alone = time.monotonic() - started
    moments = dict.fromkeys(("before it was a run", "before a checkpoint", "at a checkpoint", "while saving"), 0)
    kills, finished = 0, 0
    different: list[str] = []
    statuses: dict[int, int] = {}
    lost: list[int] = []
    while kills < options.kills:
        run = folder / f"run-{finished}"
        while True:
            resumed = (run / "config.json").exists()
            begin = ["train", "--resume", str(run)] if resumed else [*command, "--out", str(run)]
            at_start = chance.random() < 0.2
            moment = (at_start, chance.uniform(0, options.start if at_start else options.span))
            before = _last_step(run)
            status = trained.run(begin, run, moment if kills < options.kills else None)
            if status == 0:
                break
            if status not in PROMISED[number]:
                sys.exit(f"{run}: exit status {status}, not one of {PROMISED[number]}")
            kills += 1
            statuses[status] = statuses.get(status, 0) + 1
            moments[_moment(run)] += 1
            lost.append(max(0, _last_step(run) - _newest(run)))
            print(f"kill {kills}: step {before} to {_last_step(run)}, checkpoint {_newest(run)}", file=sys.stderr)
        finished += 1
        different += _differences(reference, run)
        shutil.rmtree(run)
    shutil.rmtree(folder)
    result = {
        "engine": options.engine,
        "processes": options.processes,
        "signal": options.signal,
        "seed": options.seed,
        "kills": kills,
        "runs": finished,
        "steps": options.steps,
        "different": different,
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "killed": moments,
        "steps_lost_most": max(lost),
        "others_ended_after": round(trained.longest, 1),
        "seconds": round(time.monotonic() - started, 1),
        "seconds_never_stopped": round(alone, 1),
    }
    print(json.dumps(result, indent=2))
    sys.exit(1 if different else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="mxnet", choices=("mxnet", "pytorch"))
    parser.add_argument("--processes", type=int, default=1, help="that train the run together; PyTorch's alone")
    parser.add_argument("--signal", default="KILL", choices=("KILL", "TERM"))
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--data", default="painted:160")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    parser.add_argument("--span", type=float, default=3.0, help="kill within so many seconds of the first step")
    parser.add_argument("--start", type=float, default=8.0, help="kill a starting process within so many seconds")
    parser.add_argument("--folder", help="folder for the runs  [default: the temporary one]")
    parser.add_argument("more", nargs="*", help="more options of mxgan train, after --")
    return parser.parse_args()


class Processes:
    """The processes of a run: ``count`` of them, one of which gets the signal ``number``."""

    def __init__(self, count: int, number: signal.Signals, chance: random.Random) -> None:
        self.count, self.number, self.chance = count, number, chance
        self.longest = 0.0  # seconds, until the others had ended, too

    def run(self, arguments: list[str], run: Path, moment: tuple[bool, float] | None) -> int:
        """Run mxgan, send one process the signal at ``moment`` (None: never), return its exit status.

        ``moment``: (whether it counts from the start of the process instead of its first step, seconds).
        """
        with tempfile.TemporaryFile() as said:
            running = self._started(arguments, said)
            victim = self.chance.choice(running)
            sent = moment is not None and self._signalled(victim, running[0].pid, run, *moment)
            status, begin = victim.wait(), time.monotonic()
            others = [process.wait(PATIENCE) for process in running if process is not victim]
            self.longest = max(self.longest, time.monotonic() - begin)
            said.seek(0)
            text = said.read()
        if sent and victim is not running[0] and others[0] == 0:
            return 0  # the run had made its last step, and the first process has written it
        allowed = {0} if status == 0 else {status, *PROMISED[self.number], *(DESERTED if sent else ())}
        if b"Traceback" in text or status in (1, 2, 3) or not allowed.issuperset(others):
            statuses = f"exit status {status}, of the others {others}"
            sys.exit(f"{' '.join(arguments)}: {statuses}\n{text.decode(errors='replace')}")
        return status

    def _started(self, arguments: list[str], said: IO[bytes]) -> list[subprocess.Popen]:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": path}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        shared = {"WORLD_SIZE": str(self.count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        return [
            subprocess.Popen(
                [sys.executable, "-m", "mxgan", *arguments],
                stdout=subprocess.DEVNULL,
                stderr=said,
                env={**environment, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            )
            for rank in range(self.count)
        ]

    def _signalled(self, victim: subprocess.Popen, first: int, run: Path, at_start: bool, seconds: float) -> bool:
        """Send the signal, unless the run ends before. ``first``: the process that writes the run."""
        while not at_start and victim.poll() is None and _trains(run) != first:
            time.sleep(0.02)
        try:
            victim.wait(seconds)
        except subprocess.TimeoutExpired:
            victim.send_signal(self.number)
            return True
        return False


def _trains(run: Path) -> int | None:
    """The id of the process that trains the run, or was the last to."""
    try:
        return json.loads((run / "state.json").read_text())["pid"]
    except FileNotFoundError:
        return None


def _moment(run: Path) -> str:
    if not (run / "config.json").exists():
        return "before it was a run"
    if list(run.rglob(".*.tmp")):
        return "while saving"
    return "at a checkpoint" if _newest(run) else "before a checkpoint"


def _newest(run: Path) -> int:
    return max((int(folder.name) for folder in run.glob("checkpoints/[0-9]*[0-9]")), default=0)


def _last_step(run: Path) -> int:
    lines = _lines(run)
    return lines[-1]["step"] if lines else 0


def _lines(run: Path) -> list[dict]:
    """The complete lines of the log, without the times."""
    try:
        text = (run / "log.jsonl").read_text()
    except FileNotFoundError:
        return []
    records = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return [{name: value for name, value in record.items() if name not in TIMES} for record in records]


def _differences(reference: Path, run: Path) -> list[str]:
    """Files that differ from those of the run that was never stopped: weights, the newest checkpoint, the log."""
    newest = f"checkpoints/{_newest(reference):06d}"
    ours, theirs = (
        {
            str(path.relative_to(one)): path.read_bytes()
            for part in (".", newest)
            for path in (one / part).glob("*.params")
        }
        for one in (run, reference)
    )
    found = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
    found += ["log.jsonl"] if _lines(run) != _lines(reference) else []
    faces = [json.loads((folder / "config.json").read_text())["faces"] for folder in (reference, run)]
    if faces[0] != faces[1]:
        found.append("config.json (other faces: was the code that paints them edited meanwhile?)")
    return [f"{run.name}/{name}" for name in found]


if __name__ == "__main__":
    main()
