"""Replies with an ETag, and those that are large: sent piece by piece, in a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Optional

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"  # it may be kept; before it is used, its ETag is compared
PIECE = 2**14  # bytes; each client that doesn't read makes the server hold about two of them
SENDING = 60.0  # seconds that a client may take for a large reply


def unchanged(request: Request, tag: str, kept: str = ASK_AGAIN) -> Optional[Response]:
    """304 for a client that has the answer with this ETag already, else None. ``kept``: how long it may be kept."""
    asked = request.headers.get("if-none-match")
    if asked is None or not (
        asked.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in asked.split(",")]
    ):
        return None
    return Response(status_code=304, headers={"ETag": tag, "Cache-Control": kept})


class Large(Response):
    """A reply that waits for the client to take a piece before it hands over the next.

    ``done`` is called once it has been sent, and when the client has gone or takes too long.
    """

    def __init__(self, content: bytes, done: Callable[[], None], **settings: Any) -> None:
        super().__init__(content, **settings)
        self._done = done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.wait_for(self._send(send), SENDING)
        except asyncio.TimeoutError:
            pass  # left unfinished: the connection is closed
        finally:
            self._done()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = memoryview(self.body)
        for first in range(0, len(body), PIECE):
            piece = bytes(body[first : first + PIECE])
            await send({"type": "http.response.body", "body": piece, "more_body": first + PIECE < len(body)})


class FromFile(StreamingResponse):
    """The first ``size`` bytes of a file, which is closed however the reply ends."""

    def __init__(self, file: BinaryIO, size: int, **settings: Any) -> None:
        super().__init__(_pieces(file, size), **settings)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            await super().__call__(scope, receive, send)


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0:
        piece = file.read(min(PIECE, size))
        if not piece:
            return
        size -= len(piece)
        yield piece
