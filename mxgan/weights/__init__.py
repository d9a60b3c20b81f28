"""Weights files of any era and framework: reading them, recognising the network, writing them."""

from mxgan.weights.net import Net, check_finite, load_net, recognise
from mxgan.weights.params_file import load_params, save_params

__all__ = ["Net", "check_finite", "load_net", "load_params", "recognise", "save_params"]
