"""Faces to train on, as uint8 (N, size, size, 3) RGB: painted by code, from a folder of pictures or a packed file."""

from __future__ import annotations

from mxgan.faces.cache import Faces, open_faces, pack, survey
from mxgan.faces.folder import Skipped, imread, transform

__all__ = ["Faces", "Skipped", "imread", "open_faces", "pack", "survey", "transform"]
