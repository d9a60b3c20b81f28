"""The server's addresses. docs/page.md describes them for people, openapi.json for programs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse, Response

import mxgan
from mxgan.errors import MxganError
from mxgan.page.server import runs, site
from mxgan.page.server.asked import Face, Generate, Grid, Sampled, Walk
from mxgan.page.server.budget import Budget
from mxgan.page.server.faces import SMALL, Faces
from mxgan.page.server.replies import ASK_AGAIN, FOR_EVER, Large, unchanged
from mxgan.page.server.watch import Runs

HELD = 2**23  # pixels of all answers of one kind, small or large, in memory at once


def build(faces: Faces, watched: Runs, ending: asyncio.Event) -> FastAPI:
    """The application that serves these faces and runs; ``ending`` ends its streams. It closes the faces as it ends."""

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        yield
        faces.close()

    app = FastAPI(
        title="mxgan",
        version=mxgan.__version__,
        summary="Faces that don't exist, by seed and index",
        lifespan=living,
        docs_url=None,  # that page loads its scripts from another host
        redoc_url=None,
        redirect_slashes=False,  # to an absolute address, which is wrong behind a prefix
    )
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(MxganError, _wrong)
    files = site.files()
    _add_faces(app, faces)
    app.include_router(runs.router(watched, files, ending))
    _add_site(app, faces, files)  # the last, since it has an answer for any name
    return app


async def _invalid(request: Request, error: Exception) -> Response:
    """What is wrong with each value, without repeating it: it may be long, or no JSON."""
    assert isinstance(error, RequestValidationError)
    said = [f"{'.'.join(map(str, one['loc'][1:])) or one['loc'][0]}: {one['msg']}" for one in error.errors()]
    return JSONResponse({"detail": "; ".join(said)[:2000]}, 422)


async def _wrong(request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 422)


def _add_site(app: FastAPI, faces: Faces, files: dict[str, site.File]) -> None:
    def sent(request: Request, name: str) -> Response:
        file = files.get(name)
        if file is None:
            return JSONResponse({"detail": "there is nothing at this address"}, 404)
        headers = {"ETag": file.tag, "Cache-Control": ASK_AGAIN}
        return unchanged(request, file.tag) or Response(file.content, media_type=file.type, headers=headers)

    @app.get("/", include_in_schema=False)
    async def front(request: Request) -> Response:
        return sent(request, "index.html")

    @app.get("/settings.json", include_in_schema=False)
    async def settings() -> Response:
        return JSONResponse(faces.settings(), headers={"Cache-Control": "no-store"})

    @app.get("/healthz")
    async def healthz() -> dict[str, Any]:
        """Whether the server answers, and which generator it has."""
        return {"status": "ok", "generator": faces.name, "engine": faces.generator.engine}

    @app.get("/{name}", include_in_schema=False)
    async def file(request: Request, name: str) -> Response:
        return sent(request, name)


def _pictures(kind: str) -> dict[str, Any]:
    """How openapi.json describes an address that answers with a picture."""
    return {"response_class": Response, "responses": {200: {"content": {kind: {}}, "description": "The picture."}}}


def _add_faces(app: FastAPI, faces: Faces) -> None:
    small, large = Budget(HELD), Budget(HELD)

    async def made(
        request: Request, asked: Sampled, kind: str, headers: dict[str, str], make: Callable[[], Awaitable[bytes]]
    ) -> Response:
        """What ``make`` makes, of the media type ``kind``, once there is room for it in memory."""
        pixels = faces.pixels(asked)
        budget = small if pixels <= SMALL else large
        held = await budget.take(pixels)
        try:
            if budget is large and await request.is_disconnected():  # while it waited
                raise HTTPException(499, "the client has gone")
            content = await make()
        except BaseException:
            budget.give_back(held)
            raise
        if budget is large:  # held until the client has taken it
            return Large(content, lambda: budget.give_back(held), media_type=kind, headers=headers)
        budget.give_back(held)
        return Response(content, media_type=kind, headers=headers)

    async def picture(request: Request, asked: Sampled, kind: str, make: Callable[[], Awaitable[bytes]]) -> Response:
        """The same, unless the client has it already: a face never changes."""
        tag = faces.tag(request.url.path, asked)
        kept = FOR_EVER if asked.v == faces.version else ASK_AGAIN
        found = unchanged(request, tag, kept)
        return found or await made(request, asked, kind, {"ETag": tag, "Cache-Control": kept}, make)

    @app.get("/face.png", **_pictures("image/png"))
    async def face(request: Request, asked: Annotated[Face, Query()]) -> Response:
        """One face, or one on the way from it to a second."""
        return await picture(request, asked, "image/png", lambda: faces.face(asked))

    @app.get("/grid.png", **_pictures("image/png"))
    async def grid(request: Request, asked: Annotated[Grid, Query()]) -> Response:
        """Faces of one seed side by side."""
        return await picture(request, asked, "image/png", lambda: faces.grid(asked))

    @app.get("/walk.gif", **_pictures("image/gif"))
    async def walk(request: Request, asked: Annotated[Walk, Query()]) -> Response:
        """A way from one face to another, and back."""
        return await picture(request, asked, "image/gif", lambda: faces.walk(asked))

    @app.post("/api/generate", **_pictures("image/png"))
    async def generate(request: Request, asked: Generate) -> Response:
        """Faces for programs: JSON in; out one PNG, or JSON with a PNG each in base64."""
        kind = "application/json" if asked.format == "base64" else "image/png"
        return await made(request, asked, kind, {"Cache-Control": "no-store"}, lambda: faces.generated(asked))
