"""Sets of faces from where they are offered: Kaggle, Hugging Face's hub, any URL."""

from __future__ import annotations

from mxgan.faces.download.sets import SETS, Downloaded, download

__all__ = ["SETS", "Downloaded", "download"]
