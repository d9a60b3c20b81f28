"""Feed damaged files to the .params reader: each must give arrays or a one-line ParamsError, fast and in little memory.

    python benchmarks/fuzz_params.py [--mutations 100000] [--seed 0]   random; the same files for the same seed
    python benchmarks/fuzz_params.py --minutes 10                      guided by coverage (pip install atheris)

Any other outcome is a finding: the file is written to `fuzz-findings/`, and the exit status is 1. Linux only, because
the process limits its own memory.
"""

from __future__ import annotations

import argparse
import collections
import io
import random
import resource
import struct
import sys
import tempfile
import time
import types
import zlib
from pathlib import Path

import numpy as np

TESTS = Path(__file__).resolve().parent.parent / "tests" / "weights"
sys.path[:0] = [str(TESTS), str(TESTS.parent.parent)]

TRICKY = [0, 1, 2, 7, 12, 13, 32, 33, 0x112, 0xF993FAC8, 0xF993FAC9, 0xF993FACA]
TRICKY += [2**bits + more for bits in (15, 16, 31, 32, 33, 40, 60, 62, 63, 64) for more in (-1, 0)]
SLOW = 5.0  # seconds
# The worst case is a file of tiny arrays: about 400 bytes of Python objects for each 30 bytes of the file.
MEMORY = 2 * 2**30


def small_files() -> list[bytes]:
    """Undamaged files of every container, a few hundred bytes each."""
    import params_makers as make

    arrays = make.small()
    files = [make.listed(arrays, container) for container in ("legacy", "V1", "V2", "V3")]
    files.append(make.listed({**arrays, "scalar": np.array(1.0)}, "V3"))
    files.append(make.header(1) + make.record(np.arange(3, dtype=np.uint16), flag=12) + make.names("bfloat16"))
    files.append(make.header(2) + make.record(np.arange(3)) + make.record(np.ones(2)) + make.names())
    rows = make.sparse((9, 3), np.ones((2, 3), np.float32), np.array([2, 7]))
    csr = make.sparse((3, 4), np.arange(3, dtype=np.float16), np.array([0, 1, 1, 3]), np.array([1, 0, 2]))
    files.append(make.header(3) + rows + make.record(np.ones(2)) + csr + make.names("rows", "between", "csr"))
    files.append(make.header(2) + make.sparse((5, 2), np.ones((0, 2)), np.zeros(0, np.int64)) + csr + make.names())
    for savez in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        savez(file, **arrays, big=np.arange(3, dtype=">f4"), fortran=np.asfortranarray(np.ones((2, 3))))
        files.append(file.getvalue())
    return files


def without_crcs(data: bytes) -> bytes:
    """The same ZIP with 0 for every CRC-32. With `blind_to_crcs`, damage gets past that check to the parser."""
    data = bytearray(data)
    for mark, place in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        at = data.find(mark)
        while at >= 0:
            data[at + place : at + place + 4] = bytes(4)
            at = data.find(mark, at + 4)
    return bytes(data)


def blind_to_crcs(npz_file, blind: bool) -> None:
    """Let the reader compute 0 for every CRC-32, or put the real function back."""
    shim = types.SimpleNamespace(**vars(zlib))
    shim.crc32 = lambda data: 0
    npz_file.zlib = shim if blind else zlib


def check(data: bytes, parse, params_error: type[Exception]) -> str:
    """Parse ``data``: "arrays" or "refused". Raises if the outcome is any other, or too slow or too large."""
    began = time.perf_counter()
    try:
        file = parse(data, "damaged.params")
    except params_error as error:
        assert str(error).startswith("damaged.params: ") and str(error).isprintable(), f"not one line: {error}"
        outcome = "refused"
    else:
        for name, array in file.arrays.items():
            assert isinstance(name, str) and not array.flags.writeable and array.flags.aligned
            array.tobytes()  # every byte can be read
        held = sum(array.nbytes for array in file.arrays.values())
        spread = any("sparse" in warning for warning in file.warnings)  # a few rows may stand for many, up to 64 MiB
        most = max(16 * len(data), 2**20) + 2**26 * spread
        assert held <= most, f"{held} bytes of arrays from {len(data)}"
        outcome = "arrays"
    assert time.perf_counter() - began < SLOW, "too slow"
    return outcome


def mutate(data: bytes, others: list[bytes], choose: random.Random) -> bytes:
    """`data` with 1 to 4 random changes, half of them near its start or end, where most of the structure is."""
    data = bytearray(data)
    for _ in range(choose.choice((1, 1, 2, 4))):
        near = min(len(data), choose.choice((64, 512, 2**30)))
        at = choose.randrange(near + 1)
        at = choose.choice((at, len(data) - at))
        kind = choose.randrange(8)
        if kind == 0:
            data[at : at + 1] = bytes([choose.randrange(256)])
        elif kind == 1 and at < len(data):
            data[at] ^= 1 << choose.randrange(8)
        elif kind in (2, 3):
            form, bits = choose.choice((("<I", 32), ("<Q", 64), ("<H", 16)))
            at -= choose.choice((0, at % 4))
            number = struct.pack(form, choose.choice(TRICKY) % 2**bits)
            data[at : at + len(number)] = number
        elif kind == 4:
            del data[at:]
        elif kind == 5:
            del data[at : at + choose.choice((1, 4, 8, 100))]
        elif kind == 6:
            data[at:at] = choose.randbytes(choose.choice((1, 4, 8, 100)))
        else:
            other = choose.choice(others)
            start = choose.randrange(len(other))
            data[at : at + choose.choice((0, 100))] = other[start : start + choose.choice((8, 100, 1000))]
    return bytes(data)


def run_mutations(count: int, seed: int) -> int:
    """Try ``count`` mutations; returns the number of findings."""
    from mxgan import ParamsError, machine
    from mxgan.weights import npz_file, params_file

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    small = small_files()
    real = [path.read_bytes() for path in sorted((TESTS / "files").iterdir())]
    outcomes, findings, began = collections.Counter(), 0, time.perf_counter()
    for number in range(count):
        choose = random.Random(f"{seed} {number}")
        blind = choose.random() < 0.5
        data = choose.choice(small if choose.random() < 0.8 else real)
        data = mutate(without_crcs(data) if blind else data, small, choose)
        blind_to_crcs(npz_file, blind)
        try:
            outcomes[check(data, params_file.parse, ParamsError)] += 1
        except Exception as error:
            findings += 1
            kept = Path("fuzz-findings")
            kept.mkdir(exist_ok=True)
            (kept / f"seed{seed}-{number}.params").write_bytes(data)
            print(f"mutation {number}: {type(error).__name__}: {error}")
    spent = time.perf_counter() - began
    print(f"{count} mutations (seed {seed}) in {spent:.0f} s: {dict(outcomes)}, {findings} findings")
    print(f"peak memory of the process {machine.peak_memory() / 2**20:.0f} MiB")
    return findings


def run_guided(minutes: float) -> None:
    """Fuzz with atheris, which ends the process and prints libFuzzer's summary on stderr."""
    import atheris

    with atheris.instrument_imports(include=["mxgan"]):
        from mxgan import ParamsError
        from mxgan.weights import npz_file, params_file

    def target(data: bytes) -> None:
        for blind in (False, True) if data.startswith(b"PK") else (False,):
            blind_to_crcs(npz_file, blind)
            check(data, params_file.parse, ParamsError)

    corpus = Path(tempfile.mkdtemp(prefix="fuzz-corpus-"))
    for number, data in enumerate(small_files()):
        (corpus / f"{number}").write_bytes(data)
        (corpus / f"{number}-crc0").write_bytes(without_crcs(data))
    kept = Path("fuzz-findings")
    kept.mkdir(exist_ok=True)
    limits = ["-max_len=4096", f"-timeout={SLOW:.0f}", "-rss_limit_mb=2048", f"-max_total_time={minutes * 60:.0f}"]
    atheris.Setup([sys.argv[0], str(corpus), f"-artifact_prefix={kept}/", "-print_final_stats=1", *limits], target)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="run atheris instead, for this long")
    options = parser.parse_args()
    if options.minutes:
        run_guided(options.minutes)
    else:
        sys.exit(1 if run_mutations(options.mutations, options.seed) else 0)


if __name__ == "__main__":
    main()
