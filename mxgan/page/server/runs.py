"""/runs and /runs/NAME: pages that renew themselves by server-sent events."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from typing import Any, BinaryIO, Optional

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from mxgan.page.server.replies import ASK_AGAIN, FromFile, unchanged
from mxgan.page.server.site import File
from mxgan.page.server.watch import EVERY, Runs

STREAMS = 100  # watchers at once
ALIVE = 15.0  # seconds after which a stream says that it is there, and notices that its watcher has gone


def router(runs: Runs, files: dict[str, File], ending: asyncio.Event) -> APIRouter:
    """The addresses below /runs. Streams end with ``ending``."""
    found = APIRouter(include_in_schema=False)
    watching = asyncio.Semaphore(STREAMS)

    def page(request: Request, name: str, status: int = 200) -> Response:
        file = files[name]
        headers = {"ETag": file.tag, "Cache-Control": ASK_AGAIN}
        same = unchanged(request, file.tag) if status == 200 else None
        return same or Response(file.content, status, headers, file.type)

    def gone(request: Request) -> Response:
        """As a page for browsers, as JSON for programs."""
        if "text/html" in request.headers.get("accept", ""):
            return page(request, "no_run.html", 404)
        return JSONResponse({"detail": "there is no such run here; /runs lists them"}, 404)

    def stream(look: Callable[[], Optional[dict[str, Any]]]) -> Response:
        if watching.locked():
            return JSONResponse({"detail": f"{STREAMS} pages watch already"}, 503, {"Retry-After": "10"})
        return StreamingResponse(
            _events(look, ending, watching), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    def picture(request: Request, file: Optional[BinaryIO]) -> Response:
        if file is None:
            return JSONResponse({"detail": "there is no such picture"}, 404)
        about = os.fstat(file.fileno())
        tag = f'"{about.st_mtime_ns:x}-{about.st_size:x}"'  # a run that goes on from before may write it again
        headers = {"ETag": tag, "Cache-Control": ASK_AGAIN, "Content-Length": str(about.st_size)}
        same = unchanged(request, tag)
        if same is not None:
            file.close()
            return same
        return FromFile(file, about.st_size, media_type="image/png", headers=headers)

    @found.get("/runs")
    async def table(request: Request) -> Response:
        return page(request, "runs.html")

    @found.get("/runs/")
    async def below() -> Response:
        return RedirectResponse("../runs")  # relative: behind a prefix too

    @found.get("/events")
    async def table_events() -> Response:
        return stream(runs.table)

    @found.get("/runs/{name}")
    async def run(request: Request, name: str) -> Response:
        return gone(request) if runs.find(name) is None else page(request, "run.html")

    @found.get("/runs/{name}/events")
    async def run_events(request: Request, name: str) -> Response:
        return gone(request) if runs.find(name) is None else stream(lambda: runs.view(name))

    @found.get("/runs/{name}/reals.png")
    async def reals(request: Request, name: str) -> Response:
        return picture(request, runs.picture(name, "reals.png"))

    @found.get("/runs/{name}/samples/{step}.png")
    async def sample(request: Request, name: str, step: int) -> Response:
        return picture(request, runs.picture(name, "samples", f"{step:06d}.png"))

    return found


async def _events(
    look: Callable[[], Optional[dict[str, Any]]], ending: asyncio.Event, watching: asyncio.Semaphore
) -> AsyncIterator[str]:
    """What ``look`` finds, as events: all of it, then what has changed; ``gone`` once there is nothing any more."""
    async with watching:
        before: dict[str, Any] = {}
        silent = 0.0
        while not ending.is_set():
            now = await asyncio.to_thread(look)
            if now is None:
                yield "event: gone\ndata: {}\n\n"
                return
            changed = changes(before, now)
            before, silent = now, silent + EVERY
            if changed:
                yield f"data: {json.dumps(changed)}\n\n"  # ASCII, on one line
                silent = 0.0
            elif silent >= ALIVE:
                yield ": nothing new\n\n"
                silent = 0.0
            try:
                await asyncio.wait_for(ending.wait(), EVERY)
            except asyncio.TimeoutError:
                continue


def changes(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """What is new in ``now``: whole values, but of curves as wide as before only the points from the first new one on.

    Curves have another key: first, how many of the points before are to be kept.
    """
    found = {key: value for key, value in now.items() if key not in before or before[key] != value}
    if "curves" in found:
        rows, first = now["curves"]["rows"], 0
        if "curves" in before and before["curves"]["width"] == now["curves"]["width"]:
            old = before["curves"]["rows"]
            first = next((place for place, (a, b) in enumerate(zip(old, rows)) if a != b), min(len(old), len(rows)))
        found["curves"] = {"width": now["curves"]["width"], "first": first, "rows": rows[first:]}
    return found
