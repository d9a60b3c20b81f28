"""Generators as people publish them: small nets in many styles, each trained briefly as a GAN and saved in many forms.

    python benchmarks/published list                          what there is
    python benchmarks/published make FOLDER                   all of them: about 10 minutes on one thread
    python benchmarks/published make FOLDER --only NAME       one, or all whose names contain NAME
    python benchmarks/published make FOLDER --steps 20        less training
    python benchmarks/published make FOLDER --held-out        the nets that no assumption was tuned on
    python benchmarks/published check FOLDER                  open every file of it with no option, compare pictures
    python benchmarks/published check FOLDER --forms netG.pth --only leaky --json

They measure how often published weights open as what they are. The nets are written here, after what public
repositories do (mxgan/architecture/known.json says where): layers, orders, epsilons, names and ways of saving.
Training is real, though short, so that each BatchNorm's running statistics belong to its weights. A net's seed comes
from its name, so the same machine and versions make the same weights.

FOLDER/NAME/ holds

    expected.npz          z: float32 (8, latent) · labels: int64 (8,) where the net is conditional ·
                          images: float32 (8, channels, size, size), the framework's own output in inference mode ·
                          range: "tanh" (-1..1), "sigmoid" (0..1) or "none" (as tanh, not bounded)
    about.json            name, framework, what is special, the entry of known.json that it is (or null), sizes, forms:
                          for each file "ok" or what is wrong with it

and, from PyTorch,

    netG.pth              the state dict
    checkpoint.pth        several nets and optimizers in one file, in one of `saving.STYLES`
    module.pth            the whole module, pickled
    traced.pt scripted.pt TorchScript, where it works
    netG.onnx             opset 17

or, from MXNet,

    netG.params           Gluon's save_parameters
    export-symbol.json export-0000.params     HybridBlock's export
    G-symbol.json G-0150.params               Module's save_checkpoint
    G-nosymbol.params                         Module's save_params: the same arrays

`check` prints for each form how many files gave the framework's pictures, to one grey level (right); other ones with a
warning that they may be wrong (warned) or that the network was guessed (guessed), with an assumption that was said
(told), with none of these (silent); an error in a line (refused), or another exception (crash). A false alarm is a
right picture with a warning that it may be wrong. Settings that arrays don't hold are compared
with those of a form that says its graph. It ends with 1 where a file was silent, crashed, or took 2 minutes.

Nothing here is committed as weights: FOLDER is yours.
"""

from __future__ import annotations

from .kinds import Published


def architectures() -> list[Published]:
    """The PyTorch generators."""
    from . import conditional, plain, projected, residual, upsampling, variations

    rooms = (plain, variations, projected, upsampling, residual, conditional)
    return [net for room in rooms for net in room.NETS]


def mxnet_architectures() -> list[Published]:
    """The MXNet generators: Gluon blocks and symbols."""
    from . import blocks, symbols

    return [*blocks.NETS, *symbols.NETS]


def held_out() -> tuple[list[Published], list[Published]]:
    """PyTorch's and MXNet's generators that no assumption was tuned on."""
    from . import heldout_mx, heldout_nets

    return heldout_nets.NETS, heldout_mx.NETS
