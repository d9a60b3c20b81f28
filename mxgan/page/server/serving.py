"""The process: a socket of its own, uvicorn on it, and clients that take too long."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import struct
from collections.abc import Callable
from typing import Any, Optional

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from mxgan.errors import SettingError
from mxgan.page.server.guard import Guard
from mxgan.page.server.replies import PIECE

CONNECTIONS = 2000  # at once; one more is told 503
STALLED = 10.0  # seconds that a client may leave a request unfinished, or what it asked for unread
ENDING = 20  # seconds that requests in flight have to end, once the server was told to
HURRY = 1.0  # `STALLED`, once the server was told to end
HEAD = 2**13  # bytes of a request's head that may wait for its end; bytes that are read at once
FIELDS = 100  # lines of a head: each takes many times its length once it has been read


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0: any that is free. Raises SettingError where it can't be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise SettingError("host", host, f"no address of this machine ({_said(error)}); try 127.0.0.1") from error
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(CONNECTIONS)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            problem = f"another program listens there; give another one, as --port {port + 1}, or 0 for any"
            raise SettingError("port", port, problem) from error
        if error.errno in (errno.EACCES, errno.EPERM):
            raise SettingError("port", port, f"{_said(error)}; one above 1023 is free to use") from error
        raise SettingError("host", host, f"can't be listened at ({_said(error)}); try 127.0.0.1") from error
    return found


def is_local(host: str) -> bool:
    """Does ``host`` mean an address that other machines can't reach?"""
    return host == "localhost" or host == "::1" or host.startswith("127.")


def is_any(host: str) -> bool:
    """Does ``host`` mean all addresses of this machine?"""
    return host in ("0.0.0.0", "::", "")


def address(found: socket.socket, host: str) -> str:
    """The page's address, to be typed into a browser on this machine."""
    name = "localhost" if is_any(host) else host
    return f"http://{f'[{name}]' if ':' in name else name}:{found.getsockname()[1]}/"


def run(build: Callable[[asyncio.Event], ASGIApp], found: socket.socket, local: bool) -> None:
    """Serve until Ctrl-C or SIGTERM what ``build`` makes of an event, set then, that ends streams.

    Requests in flight are waited for, `ENDING` seconds at most. ``local``: see `Guard`.
    """
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # what clients do wrong is theirs to know
    asyncio.run(_run(build, found, local))


async def _run(build: Callable[[asyncio.Event], ASGIApp], found: socket.socket, local: bool) -> None:
    ending = asyncio.Event()  # within the event loop, to which Python 3.9 binds it
    config = uvicorn.Config(
        Guard(build(ending), local),
        http=Patient,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_connections(),
        backlog=CONNECTIONS,
        timeout_keep_alive=int(STALLED),
        timeout_graceful_shutdown=ENDING,
        h11_max_incomplete_event_size=HEAD,
    )
    await _Server(config, ending).serve(sockets=[found])


class _Server(uvicorn.Server):
    """uvicorn's, which also looks after the clients that take too long."""

    def __init__(self, config: uvicorn.Config, ending: asyncio.Event) -> None:
        super().__init__(config)
        self._ending = ending

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second; returns whether to stop."""
        if counter % 10 == 0:
            self._look_after(STALLED)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: Optional[list[socket.socket]] = None) -> None:
        """Let streams end, which would go on for ever; then wait for what is in flight, but not for its clients."""
        self._ending.set()
        hurrying = asyncio.create_task(self._hurry())
        try:
            await super().shutdown(sockets)
        finally:
            hurrying.cancel()

    async def _hurry(self) -> None:
        while True:  # there are no ticks any more
            self._look_after(HURRY)
            await asyncio.sleep(0.1)

    def _look_after(self, patience: float) -> None:
        now = asyncio.get_running_loop().time()
        for connection in list(self.server_state.connections):
            if isinstance(connection, Patient):
                connection.check(now, patience)


class Patient(H11Protocol):
    """uvicorn's protocol, which by itself waits for ever: for the end of a request, and for its answer to be taken.

    It is h11's and not httptools', which is faster, because a head's length can be bounded there.
    """

    _since: Optional[float] = None  # when the client was first found to hold things up
    _untaken = 0  # bytes that it had yet to take at the last look

    def connection_made(self, transport: Any) -> None:
        """A client has come."""
        transport.max_size = HEAD  # asyncio would read 256 KiB at once, and all clients together send so much
        transport.set_write_buffer_limits(PIECE)  # asyncio waits at 64 KiB
        super().connection_made(transport)
        self._since = self.loop.time()

    def handle_events(self) -> None:
        """Read what has come; a head of too many lines isn't even parsed."""
        if self.conn.their_state is h11.IDLE:
            come, _ = self.conn.trailing_data
            if come.count(b"\n") > FIELDS and come.partition(b"\r\n\r\n")[0].count(b"\n") > FIELDS:
                self.send_400_response(f"a request's head may have {FIELDS} lines")
                return
        super().handle_events()

    def check(self, now: float, patience: float) -> None:
        """Cut the client off if it has held things up for ``patience`` seconds: ``now`` on the event loop's clock.

        Once the server ends, a client that is still sending its request holds things up as well, and one that takes
        its answer, however slowly, doesn't.
        """
        ends, untaken = patience < STALLED, self.transport.get_write_buffer_size()
        takes, self._untaken = untaken < self._untaken, untaken
        unasked = self.cycle is None or self.cycle.response_complete or (ends and self.cycle.more_body)
        if (ends and takes) or not (unasked or self.flow.write_paused or self.transport.is_closing()):
            self._since = None  # the server is at work, or the client
        elif self._since is None:
            self._since = now
        elif now - self._since > patience:
            own = self.transport.get_extra_info("socket")
            if own is not None and untaken:  # nor does the kernel go on waiting
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()


def _connections() -> int:
    """How many connections there may be: `CONNECTIONS`, if this process may open those and a picture for each."""
    try:
        import resource  # not on Windows
    except ImportError:
        return CONNECTIONS
    least = 2 * CONNECTIONS + 100
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < least:
        soft = least if hard == resource.RLIM_INFINITY else min(least, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(10, min(CONNECTIONS, (soft - 100) // 2))


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
