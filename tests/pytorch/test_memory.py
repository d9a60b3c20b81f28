"""What is freed is kept: the kernel is asked for no page twice."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("torch")

FAULTS = """
import resource, sys
from mxgan.pytorch import runtime
torch = runtime.load()
runtime.prepare(1)
used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(16):  # malloc's own small pieces settle between them
    torch.ones(2**23)
before = used()
for _ in range(4):
    torch.ones(2**23)  # 8,192 pages of 4 KiB
print(used() - before)
"""


def pages_asked_for(**variables: str) -> int:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    asked = subprocess.run(
        [sys.executable, "-c", FAULTS], env={**plain, **variables}, check=True, capture_output=True, text=True
    )
    return int(asked.stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
def test_freed_memory_is_kept_unless_the_user_has_decided():
    assert pages_asked_for() < 100
    assert pages_asked_for(MALLOC_TRIM_THRESHOLD_="131072") > 1000
    assert pages_asked_for(GLIBC_TUNABLES="glibc.malloc.trim_threshold=131072") > 1000
