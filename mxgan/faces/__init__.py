"""Faces to train on, as uint8 (N, size, size, 3) RGB: painted, or from a folder, archive or file of pictures."""

from __future__ import annotations

from mxgan.faces.cache import Faces, open_faces, pack, survey
from mxgan.faces.pictures import Skipped, imread, transform

__all__ = ["Faces", "Skipped", "imread", "open_faces", "pack", "survey", "transform"]
