"""What the user says of a network, where its file doesn't: the options of `generate`, `inspect` and `convert`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from mxgan import checks
from mxgan.errors import SettingError
from mxgan.graph.layers import Elu, Layer, LeakyRelu, Relu, Selu, Sigmoid, Tanh

SETTINGS = ("activation", "output", "eps", "size")  # that a file which says its own graph leaves no room for
OUTPUTS = ("tanh", "sigmoid", "none")
_ACTIVATIONS = {"relu": Relu(), "elu": Elu(), "selu": Selu(), "tanh": Tanh(), "sigmoid": Sigmoid()}


@dataclass(frozen=True)
class Wishes:
    """What you know of a network and its file doesn't say. None leaves a thing to the file, habit and its statistics.

    - ``activation``: between layers: relu, leaky or leaky:SLOPE, elu, selu, tanh, sigmoid, none
    - ``output``: after the last layer: tanh, sigmoid (images in [0, 1]) or none
    - ``eps``: of normalisations, a number
    - ``size``: of the images, pixels on a side
    - ``uniform``: True for latents from U(-1, 1), False for N(0, 1)
    - ``layout``: a file that describes the whole network, as ``mxgan weights inspect --layout`` writes it
    - ``symbol``: MXNet's -symbol.json, if it isn't beside the weights

    Raises SettingError for a value that can't be.
    """

    activation: Optional[str] = None
    output: Optional[str] = None
    eps: Optional[float] = None
    size: Optional[int] = None
    uniform: Optional[bool] = None
    layout: Optional[Path] = None
    symbol: Optional[Path] = None

    def __post_init__(self) -> None:
        if self.activation is not None:
            activation(self.activation)
        if self.output is not None:
            checks.one_of("output", self.output, OUTPUTS)
        checks.number("eps", self.eps, "a positive number below 10, 1e-5 as a rule", lambda x: 0 < x < 10)
        checks.number("size", self.size, "from 4 to 4096 pixels", lambda x: 4 <= x <= 4096 and x == int(x))
        if self.uniform is not None:
            checks.one_of("uniform", self.uniform, (False, True))
        for name in ("layout", "symbol"):
            checks.as_path_or_none(name, getattr(self, name))

    def uniform_or(self, found: bool) -> bool:
        """Whether latents are uniform: as the user says, else as was found."""
        return found if self.uniform is None else self.uniform


NONE = Wishes()


def checked(wishes: object) -> Wishes:
    """What a caller gave as wishes. Raises SettingError for anything else."""
    if not isinstance(wishes, Wishes):
        raise SettingError("wishes", wishes, "mxgan.Wishes is wanted, as mxgan.Wishes(eps=0.8)")
    return wishes


def activation(text: str) -> Optional[Layer]:
    """The layer that ``--activation`` names; None for none. Raises MxganError for any other text."""
    if text == "none":
        return None
    word, _, number = text.partition(":") if isinstance(text, str) else ("", "", "")
    if word == "leaky":
        try:
            slope = float(number or 0.2)
        except ValueError:
            slope = -1.0
        if not 0 <= slope < 1:
            raise SettingError("activation", text, "the slope is a number from 0 to 1, as in leaky:0.2")
        return LeakyRelu(slope)
    if word not in _ACTIVATIONS or number:
        raise SettingError("activation", text, f"one of {', '.join(_ACTIVATIONS)}, leaky:SLOPE, none")
    return _ACTIVATIONS[word]


def spelled(layer: Optional[Layer]) -> str:
    """An activation as people write it."""
    if isinstance(layer, LeakyRelu):
        return f"LeakyReLU({layer.slope:g})"
    names = {Relu: "ReLU", Elu: "ELU", Selu: "SELU", Tanh: "tanh", Sigmoid: "sigmoid"}
    return "no activation" if layer is None else names.get(type(layer), type(layer).__name__)
