"""Around every request: who may ask, how long a body may be, and what a browser is told not to do."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Optional

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY = 2**12  # bytes that a request may bring: ten times what the longest has, since JSON grows as it is read
QUERY = 2**11  # bytes behind the question mark, for the same reason
PATIENCE = 10.0  # seconds for a request's body to arrive

HEADERS = {
    # only the server's own files: no other host, no inline script or style, no frame around the page
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_RAW = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, local: bool) -> None:
        """``local``: the server is bound to this machine, so it answers to this machine's names alone.

        Otherwise any web page could read from it: by a name of its own that leads here (DNS rebinding).
        """
        self._app, self._local = app, local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_RAW]
            await send(message)

        if self._local and not _is_local(Headers(scope=scope).get("host", "")):
            answer = JSONResponse({"detail": "this server answers to localhost alone"}, 421)
            await answer(scope, receive, guarded)
            return
        if len(scope["query_string"]) > QUERY:
            text = f"the address has more than {QUERY:,} bytes behind its question mark"
            await JSONResponse({"detail": text}, 414)(scope, receive, guarded)
            return
        if scope["method"] == "HEAD" and not scope["path"].endswith("/events"):  # a stream has no end
            scope = {**scope, "method": "GET"}  # the protocol leaves out the body
        if scope["method"] not in ("GET", "HEAD"):
            try:
                body = await asyncio.wait_for(_body(receive), PATIENCE)
            except asyncio.TimeoutError:
                await JSONResponse({"detail": "the request's body didn't arrive"}, 408)(scope, receive, guarded)
                return
            if body is None:
                text = f"the request's body has more than {BODY:,} bytes"
                await JSONResponse({"detail": text}, 413)(scope, receive, guarded)
                return
            receive = _again(body, receive)
        await self._app(scope, receive, guarded)


async def _body(receive: Receive) -> Optional[bytes]:
    """The whole body; None for one that is too long, which is read to its end without being kept."""
    body, long, more = b"", False, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY:
            body, long = b"", True
    return None if long else body


def _again(body: bytes, receive: Receive) -> Receive:
    """``receive`` for an application that reads the body once more."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def read() -> Message:
        return waiting.pop() if waiting else await receive()

    return read


def _is_local(host: str) -> bool:
    """Does a Host header name this machine, by ``localhost`` or a number? No name of a web page does."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    name = name.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
