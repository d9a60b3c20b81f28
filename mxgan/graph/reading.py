"""A network as a file gives it: the graph, and where each part of it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field

from mxgan.errors import ParamsError
from mxgan.graph.graph import Graph


class NoGraph(ParamsError):
    """A sound .onnx model, as far as can be seen, that no layers of `mxgan.graph` compute. It may still be run."""


@dataclass(frozen=True)
class Reading:
    """What was read, from what, and what had to be assumed."""

    graph: Graph
    source: str  # what decided the graph, in words: "net-symbol.json", "the module in net.pth", "its arrays' shapes"
    names: dict[str, str] = field(default_factory=dict)  # the graph's arrays -> their names in the file
    assumed: tuple[str, ...] = ()  # what the file doesn't say: "ReLU", "tanh", "eps 1e-05", "stride 2"
    warnings: tuple[str, ...] = ()  # what may be wrong
    uniform: bool = False  # latents from U(-1, 1), not N(0, 1)
    known: bool = False  # the source is a published architecture with such arrays
    guessed: bool = False  # habit alone speaks for what was assumed: the end, say, leaves no trace in the arrays

    @property
    def told(self) -> list[str]:
        """What the user should know of the network, in lines: what decided it, and what was assumed."""
        assumed = f"; assumed: {', '.join(self.assumed)}" if self.assumed else ""
        if not (self.assumed or self.known):
            return [f"the network: {self.source}"]
        taken = f"taken for {self.source}, by its arrays' names and shapes" if self.known else self.source
        return [f"the network: {taken}{assumed} (say otherwise with --activation, --output, --eps, --size, --layout)"]

    @property
    def cautions(self) -> list[str]:
        """Why the pictures may be wrong, in lines; what was `told` is among them where it was guessed."""
        return [*self.warnings, *(self.told if self.guessed and self.assumed else ())]
