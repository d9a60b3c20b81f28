"""What a run's user types to go on, in the words of where the run was begun: Python's, or the command line's."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Optional


@dataclass(frozen=True)
class Advice:
    """``command``: how the command line's program is called; None: the run was begun from Python."""

    command: Optional[str] = None

    def resume(self, run: Path) -> str:
        """What goes on with a run."""
        if self.command is None:
            return f"mxgan.resume({str(run)!r})"
        return f"{self.command} train --resume {shlex.quote(str(run))}"

    def longer(self, run: Path, steps: int) -> str:
        """What makes a run of so many steps longer."""
        more = f"mxgan.resume({str(run)!r}, steps=N)" if self.command is None else f"{self.resume(run)} --steps N"
        return f"{more}, N above {steps}"

    def generate(self, run: Path) -> str:
        """What makes new pictures with it."""
        if self.command is None:
            return f"mxgan.load_generator({str(run)!r}).sample(64)"
        return f"{self.command} generate --weights {shlex.quote(str(run))} --out faces.png"


def shell() -> Advice:
    """The command line's words: ``mxgan``, or what calls it where that isn't on the PATH, as after `make run`."""
    own = Path(sys.executable).with_name("mxgan")
    if not own.exists():
        return Advice(f"{shlex.quote(sys.executable)} -m mxgan")
    found = shutil.which("mxgan")
    if found and os.path.samefile(found, own):
        return Advice("mxgan")
    here = os.path.relpath(own)
    return Advice(shlex.quote(str(own) if here.startswith(os.pardir) else here))
