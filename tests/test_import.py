"""What importing mxgan brings along: next to nothing."""

import json

import pytest
from processes import python

import mxgan

HEAVY = ["mxnet", "torch", "onnx", "onnxruntime", "matplotlib", "cv2", "PIL", "safetensors", "numpy"]


@pytest.mark.parametrize("module", ["mxgan", "mxgan.cli"])
def test_an_import_brings_no_framework(module):
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    process = python("-W", "error", "-c", code)
    assert (process.returncode, process.stderr) == (0, "")
    assert set(HEAVY).isdisjoint(json.loads(process.stdout))


def test_every_public_name_is_there():
    for name in mxgan.__all__:
        assert getattr(mxgan, name) is not None
    assert dir(mxgan) == sorted(mxgan.__all__)
    assert issubclass(mxgan.ParamsError, mxgan.MxganError)
    assert issubclass(mxgan.MxganError, ValueError)


def test_the_modules_that_the_documentation_names_are_there_at_once():
    code = "import mxgan; print(mxgan.errors.Interrupted.__name__, mxgan.walks.slerp.__name__, mxgan.pixels.__name__)"
    process = python("-c", code)
    assert (process.stdout, process.stderr) == ("Interrupted slerp mxgan.pixels\n", "")


def test_help_is_headed_by_the_public_name():
    for name in ("load_params", "save_params", "convert_weights", "inspect_weights", "load_generator", "train"):
        assert getattr(mxgan, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'generator'"):
        mxgan.generator  # noqa: B018
