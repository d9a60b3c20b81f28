"""Data sets on Hugging Face's hub, through its own client, `huggingface_hub`: it finds the token, and lists files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Optional

from mxgan.errors import MissingPackage, MxganError
from mxgan.faces.archive import ARCHIVES
from mxgan.faces.download.transfer import PATIENCE, PLAIN, Ask, cause, library
from mxgan.faces.parquet import SUFFIX
from mxgan.faces.pictures import SUFFIXES

SITE = "https://huggingface.co"
NAME = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
WANTED = (*SUFFIXES, SUFFIX, *ARCHIVES, ".rec", ".idx", ".npy", ".npz")


@dataclass(frozen=True)
class File:
    """One of a set's files."""

    name: str  # below the set, as the hub says it
    sha256: Optional[str]  # where the hub knows it
    ask: Ask


def files(name: str) -> list[File]:
    """The files of ``OWNER/NAME`` that hold faces.

    Raises MxganError where the hub doesn't give them, and ImportError with what to type without its client.
    """
    if not NAME.fullmatch(name):
        raise MxganError(f"hf:{name}: a data set on the hub is OWNER/NAME")
    try:
        import huggingface_hub
        from huggingface_hub import errors, utils
    except ImportError as error:
        raise MissingPackage("the hub's data sets need huggingface_hub", "download") from error
    try:
        info = huggingface_hub.HfApi().dataset_info(name, files_metadata=True)
    except errors.HfHubHTTPError as error:
        raise MxganError(refused(name, error.response.status_code if error.response is not None else 0)) from None
    except Exception as error:  # its transport has errors of its own, of whatever library it uses this year
        raise MxganError(f"hf:{name}: the hub can't be reached ({cause(error)}): is this machine online?") from None
    headers = utils.build_hf_headers()
    chosen = [one for one in info.siblings or () if one.rfilename.lower().endswith(WANTED)]
    if not chosen:
        raise MxganError(f"hf:{name}: no pictures, Parquet or archives among its files")
    found = []
    for one in chosen:
        url = huggingface_hub.hf_hub_url(name, one.rfilename, repo_type="dataset", revision=info.sha)
        found.append(File(one.rfilename, one.lfs.sha256 if one.lfs else None, _asking(name, url, headers)))
    return found


def refused(name: str, status: int) -> str:
    """What it means that the hub answered with ``status``, and what to do."""
    page = f"{SITE}/datasets/{name}"
    if status == 401:
        return f"hf:{name}: no such set, or one that needs a token (401): see {page}; then set HF_TOKEN"
    if status == 403:
        return f"hf:{name}: the hub refuses it (403): open {page} signed in, accept its terms, and set HF_TOKEN"
    if status == 404:
        return f"hf:{name}: no such data set (404), renamed or removed: look for it at {SITE}/datasets"
    if status == 429:
        return f"hf:{name}: too many downloads from here (429): wait and try again, or set HF_TOKEN"
    return f"hf:{name}: the hub has a fault ({status}): try again later"


def _asking(name: str, url: str, headers: dict[str, str]) -> Ask:
    def ask(part: dict[str, str]) -> Any:
        requests = library()
        response = requests.get(url, headers={**headers, **PLAIN, **part}, stream=True, timeout=PATIENCE)
        if response.status_code not in (200, 206, 416):
            response.close()
            raise MxganError(refused(name, response.status_code))
        return response

    return ask
