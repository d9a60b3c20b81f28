"""Sets on Kaggle, through Kaggle's own client, `kaggle`: it finds the user's key and asks for the file.

Of Kaggle's two clients this is the one that leaves the archive whole, so that unpacking it safely is ours; kagglehub
unpacks into a cache of its own. Its own transfer isn't used, as it checks no checksum.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import sys
from collections.abc import Iterator
from typing import Any, Optional

import click

from mxgan import machine
from mxgan.errors import MissingPackage, MxganError
from mxgan.faces.download.transfer import PATIENCE, PLAIN, Ask, cause, library

SITE = "https://www.kaggle.com"
KEY = f"make a token at {SITE}/settings (API), and set KAGGLE_API_TOKEN, or put kaggle.json into ~/.kaggle"
NAME = re.compile(r"[A-Za-z0-9_-]+/[A-Za-z0-9_.-]+")


def asking(name: str) -> Ask:
    """How to ask for the archive of the set ``OWNER/NAME``.

    Without a key, it is asked for at a terminal. Raises MxganError where there is none or the name is no set's, and
    ImportError with what to type where the client isn't installed.
    """
    if not NAME.fullmatch(name):
        raise MxganError(f"kaggle:{name}: a set on Kaggle is OWNER/NAME")
    api = _client()
    owner, _, slug = name.partition("/")

    def ask(headers: dict[str, str]) -> Any:
        from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

        request = ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug = owner, slug
        requests = library()

        def whole() -> Any:
            with _quiet(), api.build_kaggle_client() as kaggle:
                return kaggle.datasets.dataset_api_client.download_dataset(request)

        try:
            response = whole()
            if headers:  # the client can't ask for a part; the address that it was sent on to can be asked
                response.close()
                response = requests.get(response.url, headers={**PLAIN, **headers}, stream=True, timeout=PATIENCE)
                if response.status_code not in (200, 206, 416):
                    response.close()
                    response = whole()
            return response
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            raise MxganError(refused(name, status)) from None

    return ask


def refused(name: str, status: int) -> str:
    """What it means that Kaggle answered with ``status``, and what to do."""
    page = f"{SITE}/datasets/{name}"
    if status == 401:
        return f"kaggle:{name}: Kaggle doesn't know the key (401): {KEY}"
    if status == 403:
        return f"kaggle:{name}: Kaggle refuses it (403): open {page} signed in, and accept the terms of the set"
    if status == 404:
        search = f"{SITE}/datasets?search={name.partition('/')[2]}"
        return f"kaggle:{name}: no such set (404), renamed or removed: look for it at {search}, then give --from"
    if status == 429:
        return f"kaggle:{name}: too many downloads from here (429): wait an hour and try again"
    return f"kaggle:{name}: Kaggle has a fault ({status}): try again later"


def _client() -> Any:
    """Kaggle's client with the user's key."""
    if sys.version_info < (3, 11):
        raise MxganError("Kaggle's client needs Python 3.11 or newer: download by hand, and give the archive to --data")
    with machine.environment_kept(), _quiet():
        for name in ("VERBOSE", "VERBOSE_OUTPUT"):  # the client would print every request, and the key with it
            os.environ.pop(name, None)
        try:
            from kaggle.api.kaggle_api_extended import KaggleApi
        except ImportError as error:
            there = importlib.util.find_spec("kaggle") if sys.modules.get("kaggle", True) else None
            why = f" (it is here, but: {error})" if there else ""
            raise MissingPackage(f"Kaggle's sets need Kaggle's client{why}", "download") from error
    api = KaggleApi()
    if not _found_key(api):
        given = _asked_for()
        if given is None:
            raise MxganError(f"no Kaggle key that works: {KEY}")
        with _set(given):
            if not _found_key(api):
                raise MxganError(f"Kaggle doesn't know this key: {KEY}")
    return api


def _found_key(api: Any) -> bool:
    requests = library()
    try:
        with _quiet():
            api.authenticate()
    except SystemExit:  # how it says that there is none
        return False
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        raise MxganError(f"Kaggle doesn't take the key ({status}): {KEY}") from None
    except requests.RequestException as error:
        raise MxganError(f"www.kaggle.com can't be reached ({cause(error)}): is this machine online?") from None
    return True


def _asked_for() -> Optional[dict[str, str]]:
    """The key, asked for at a terminal: it isn't shown, and isn't kept. None where nobody can answer."""
    if not sys.stdin or not sys.stdin.isatty():
        return None
    click.echo(f"No Kaggle key found. Make one at {SITE}/settings (API).", err=True)
    user = click.prompt(
        "Your Kaggle username, or nothing if you have a token", default="", show_default=False, err=True
    )
    key = click.prompt("Your Kaggle key or token (not shown)", hide_input=True, err=True).strip()
    return {"KAGGLE_USERNAME": user.strip(), "KAGGLE_KEY": key} if user.strip() else {"KAGGLE_API_TOKEN": key}


@contextlib.contextmanager
def _set(variables: dict[str, str]) -> Iterator[None]:
    """The client reads its key from the environment; nothing else gets to see it there."""
    with machine.environment_kept():
        os.environ.update(variables)
        yield


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What the client says goes nowhere: stdout is for results, and it says less than our errors do.

    Where it finds no key it calls Python's exit(), which closes stdin: another one is there for that.
    """
    stdin, sys.stdin = sys.stdin, io.StringIO()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        sys.stdin = stdin
