"""Feed damaged PyTorch files to the reader: each must give arrays or a one-line ParamsError, fast and in little memory.

    python benchmarks/fuzz_pth.py [--mutations 20000] [--seed 0]       the same files for the same seed

State dicts, whole modules and TorchScript archives are made by the installed PyTorch and damaged: bytes anywhere, bytes
of the pickle inside a sound ZIP, and lines of a program. What opens is read on, to its layers and its graph. Any other
outcome is a finding: the file is written to `fuzz-findings/`, and the exit status is 1. Linux only, because the process
limits its own memory.
"""

from __future__ import annotations

import argparse
import collections
import io
import random
import resource
import sys
import tempfile
import time
import warnings
import zipfile
from pathlib import Path

from fuzz_params import MEMORY, SLOW, mutate, without_crcs

WORDS = ["input", "None", "-1,", "[2,2],", "9999999999999,", "self", "True", "0.5,", "torch.relu", "(", ")", "x"]
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def sound_files() -> list[bytes]:
    """Undamaged files of every kind, a few kilobytes each."""
    import torch
    from torch import nn

    class Generator(nn.Module):
        def __init__(self, main: nn.Module) -> None:
            super().__init__()
            self.main = main

        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return self.main(z.view(z.size(0), -1, 1, 1))

    def net() -> nn.Sequential:
        first = nn.ConvTranspose2d(4, 3, 4, bias=False)
        return nn.Sequential(first, nn.BatchNorm2d(3), nn.LeakyReLU(0.2), nn.Conv2d(3, 1, 3, 1, 1), nn.Tanh()).eval()

    Generator.__module__, Generator.__qualname__ = "__main__", "Generator"
    globals()["Generator"] = Generator
    values = [
        net().state_dict(),
        {"netG": net().state_dict(), "optimizer": torch.optim.Adam(net().parameters()), "noise": torch.ones(2), "e": 1},
        net(),
        {"netG": nn.DataParallel(Generator(net())), "args": argparse.Namespace(lr=0.1)},
        {"half": torch.ones(3).half(), "brain": torch.ones(3).bfloat16(), "bool": torch.ones(2, 2).bool().t()},
    ]
    files = []
    for value in values:
        for more in ({}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 4}):
            file = io.BytesIO()
            torch.save(value, file, **more)
            files.append(file.getvalue())
    z = torch.ones(1, 4)
    for program in (torch.jit.script(Generator(net())), torch.jit.trace(Generator(net()), z), torch.jit.script(net())):
        file = io.BytesIO()
        torch.jit.save(program, file)
        files.append(file.getvalue())
    return files


def damage_inside(data: bytes, others: list[bytes], choose: random.Random) -> bytes:
    """A sound ZIP with damage to one member: a pickle's bytes, or a program's lines and words."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    wanted = [name for name in members if name.endswith((".pkl", ".py"))]
    hit = choose.choice(wanted)
    members[hit] = shuffle(members[hit], choose) if hit.endswith(".py") else mutate(members[hit], others, choose)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def shuffle(code: bytes, choose: random.Random) -> bytes:
    """A program with words changed, or lines doubled, dropped or moved."""
    lines = code.decode().split("\n")
    for _ in range(choose.choice((1, 2, 4))):
        at, other = choose.randrange(len(lines)), choose.randrange(len(lines))
        kind = choose.randrange(4)
        if kind == 0:
            lines[at] = lines[other]
        elif kind == 1:
            lines.insert(at, lines[other])
        elif kind == 2 and len(lines) > 1:
            del lines[at]
        else:
            words = lines[at].split(" ")
            words[choose.randrange(len(words))] = choose.choice(WORDS)
            lines[at] = " ".join(words)
    return "\n".join(lines).encode()


def check(path: Path, size: int) -> str:
    """Read the file: "arrays", "graph" or "refused". Raises if the outcome is any other, or too slow or too large."""
    from mxgan import ParamsError
    from mxgan.architecture import modules, torchscript
    from mxgan.weights import files

    began = time.perf_counter()
    try:
        file = files.load(path)
        outcome = "arrays"
        for array in file.arrays.values():
            assert array.flags.aligned
            array.tobytes()  # every byte can be read
        held = sum(array.nbytes for array in file.arrays.values())
        assert held <= max(16 * size, 2**20), f"{held} bytes of arrays from {size}"
        for tree in file.modules:
            modules.parts(tree)
        if file.script:
            torchscript.read(path)
            outcome = "graph"
        for tree in file.modules:
            outcome = outcome if modules.sequential(tree, str(path)) is None else "graph"
    except ParamsError as error:
        assert str(path) in str(error) and str(error).isprintable() and len(str(error)) < 4000, f"no one line: {error}"
        outcome = "refused"
    assert time.perf_counter() - began < SLOW, "too slow"
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    sound = sound_files()
    resource.setrlimit(resource.RLIMIT_AS, (2 * MEMORY, 2 * MEMORY))  # PyTorch itself takes some
    path = Path(tempfile.mkdtemp(prefix="fuzz-")) / "damaged.pth"
    outcomes: collections.Counter[str] = collections.Counter()
    findings, slowest, began = 0, 0.0, time.perf_counter()
    for number in range(options.mutations):
        choose = random.Random(f"{options.seed} {number}")
        data = choose.choice(sound)
        inside = data.startswith(b"PK") and choose.random() < 0.6
        data = damage_inside(data, sound, choose) if inside else mutate(without_crcs(data), sound, choose)
        path.write_bytes(data)
        start = time.perf_counter()
        try:
            outcomes[check(path, len(data))] += 1
        except Exception as error:
            findings += 1
            kept = Path("fuzz-findings")
            kept.mkdir(exist_ok=True)
            (kept / f"seed{options.seed}-{number}.pth").write_bytes(data)
            print(f"mutation {number}: {type(error).__name__}: {error}")
        slowest = max(slowest, time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = time.perf_counter() - began
    print(
        f"{options.mutations} mutations (seed {options.seed}) in {spent:.0f} s: {dict(outcomes)}, {findings} findings"
    )
    print(f"slowest file {slowest:.2f} s; peak memory of the process, PyTorch with it, {peak:.0f} MiB")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
