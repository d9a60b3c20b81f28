"""What the pages' tests share: a browser, the static site under a prefix on a plain host, and the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import needs
import pytest
from hosts import hosted, serving

PREFIX = "some/where"  # below which the static site lies


@pytest.fixture(scope="session")
def site(cache, tmp_path_factory) -> Path:
    """The folder that ``mxgan page`` makes of the generator that comes with mxgan."""
    needs.runtime_for_browsers()
    from mxgan.page import static

    return static.build("painted", tmp_path_factory.mktemp("host") / PREFIX).path


@pytest.fixture(scope="session")
def static_page(site) -> Iterator[str]:
    """The address of the static site on a host like ``python -m http.server``, under a prefix."""
    with hosted(site.parents[PREFIX.count("/")]) as address:
        yield f"{address}{PREFIX}/"


@pytest.fixture(scope="session")
def served_page() -> Iterator[str]:
    """The address of a server that ``mxgan serve`` is."""
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    with serving("--engine", "onnx") as address:
        yield address


@pytest.fixture(scope="session", params=["static", "served"])
def page_of_faces(request) -> str:
    """The address of the first page, from either source of faces."""
    return request.getfixturevalue(f"{request.param}_page")


@pytest.fixture(scope="module")
def launch() -> Iterator[Callable[..., Any]]:
    """``launch(*arguments)``: a Chromium, for a file of tests: Playwright's event loop is in the way of others."""
    program = needs.chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield lambda *said: playwright.chromium.launch(executable_path=program, args=["--no-sandbox", *said])


@pytest.fixture(scope="module")
def browser(launch) -> Iterator[Any]:
    """Chromium as a visitor has it."""
    started = launch()
    yield started
    started.close()


@pytest.fixture
def visit(browser) -> Iterator[Callable[..., Any]]:
    """``visit(address, **context)``: a page in a fresh profile. No page may ask another host or log an error."""
    wrong: list[str] = []
    contexts = []

    def opened(address: str, **context: Any) -> Any:
        contexts.append(browser.new_context(accept_downloads=True, **context))
        page = contexts[-1].new_page()
        page.set_default_timeout(30_000)
        host = address.split("/")[2]
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("console", lambda line: line.type in ("error", "warning") and wrong.append(f"console: {line.text}"))
        page.on("response", lambda answer: answer.status >= 400 and wrong.append(f"{answer.status}: {answer.url}"))
        # the request event is the page's and its workers'; blob: addresses are the page's own pictures
        contexts[-1].on(
            "request",
            lambda asked: asked.url.split("/")[2] != host and not asked.url.startswith(f"blob:http://{host}/")
            and wrong.append(f"another host: {asked.url}"),
        )  # fmt: skip
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []
