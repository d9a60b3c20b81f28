"""What `evaluate` found: every number with its floor, and the protocol they were measured under."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Optional

from mxgan.words import counted

MEANINGS = {  # better, and what the number says, in a few words
    "fd": ("lower", "Fréchet distance of the features"),
    "kid_e3": ("lower", "kernel distance × 1e3, unbiased"),
    "precision": ("higher", "share of generated faces that look real"),
    "recall": ("higher", "share of real faces that netG could make"),
    "density": ("higher", "how densely real faces surround generated ones"),
    "coverage": ("higher", "share of real faces with a generated one near"),
    "swd": ("lower", "sliced Wasserstein distance × 1e3, mean of the levels"),
    "msssim": ("floor", "likeness of two generated faces; floor: of two real ones"),
}


@dataclass(frozen=True)
class Protocol:
    """What two numbers must share to be comparable. The last three are None if no metric needs features."""

    data: str
    fingerprint: str  # of the data's pixels
    size: int  # pixels of the faces, generated and real; the latter brought to it by ``fit``
    fit: str
    n_real: int
    n_fake: int
    n_floor: int  # real faces against as many other real ones
    seed: int  # of latents, choice of real faces, subsets, projections
    extractor: Optional[str] = None
    input_size: Optional[int] = None
    resize: Optional[str] = None

    def lines(self) -> list[str]:
        """The protocol for people."""
        faces = f"{counted(self.n_real, 'face')} of {self.data} ({self.fit}, {self.size} px)"
        lines = [
            f"{counted(self.n_fake, 'generated face')} against {faces}, seed {self.seed}",
            f"floor: the same for real faces, {self.n_floor:,} against {self.n_floor:,} others",
        ]
        if self.extractor is not None:
            lines.append(f"features: {self.extractor}, input {self.input_size} px (resized: {self.resize})")
        return lines


@dataclass(frozen=True)
class Score:
    """A number, its floor (real faces against real ones), and what is better: lower, higher, near the floor."""

    value: float
    floor: float
    better: str


@dataclass(frozen=True)
class Report:
    """All numbers of one evaluation."""

    weights: str
    engine: str
    protocol: Protocol
    scores: dict[str, Score]
    warnings: tuple[str, ...]
    seconds: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them: of ``scores``, each number has value, floor and better."""
        return {**asdict(self), "warnings": list(self.warnings)}

    def lines(self) -> list[str]:
        """The same for people: protocol, table."""
        rows = [("", "value", "floor", "better", "")]
        for name, score in self.scores.items():
            rows.append((name, f"{score.value:.4g}", f"{score.floor:.4g}", score.better, meaning(name)[1]))
        widths = [max(map(len, column)) for column in zip(*rows)]
        table = [
            f"{name:<{widths[0]}}  {value:>{widths[1]}}  {floor:>{widths[2]}}  {better:<{widths[3]}}  {words}".rstrip()
            for name, value, floor, better, words in rows
        ]
        return [f"{self.weights}, on {self.engine}", *self.protocol.lines(), "", *table]


def meaning(name: str) -> tuple[str, str]:
    """Which way is better, and what the number called ``name`` says."""
    if name.startswith("swd_"):
        return "lower", f"of the {name[4:]} px level: {'the whole face' if name == 'swd_16' else 'detail'}"
    return MEANINGS[name]
