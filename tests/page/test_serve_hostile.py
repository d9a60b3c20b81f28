"""What clients may do to a server: it says no, or lets them wait; its memory stays bounded, and others are served."""

import contextlib
import json
import os
import select
import signal
import socket
from types import SimpleNamespace
from unittest import mock

import pytest
from servers import PATIENCE, server

pytest.importorskip("fastapi")
pytest.importorskip("onnxruntime")
serving = pytest.importorskip("mxgan.page.server.serving")

BOUND = 400 * 2**20  # bytes that docs/page.md promises for what all clients together can make the server hold


@pytest.fixture(scope="module")
def painted(tmp_path_factory):
    with server(tmp_path_factory.mktemp("runs")) as started:
        yield started


def request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def posted(body: bytes) -> bytes:
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
    return f"POST /api/generate HTTP/1.1\r\nHost: localhost\r\n{kind}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    "path",
    [
        "/../setup.py", "/..%2fsetup.py", "/%2e%2e/setup.py", "/static/../../etc/passwd", "//etc/passwd", "/etc/passwd",
        "/..\\..\\etc\\passwd", "/%00", "/index.html%00.png", "/__init__.py", "/server/app.py", "/page.py", "/a/b/c",
        "/runs/..", "/runs/..%2f..%2fetc", "/runs/%2e%2e%2f", "/runs/.%00", "/runs/%ff", "/runs/a/../../x/events",
        "/runs/../samples/000001.png", "/runs/x/samples/..%2f..%2fconfig.png", "/runs/x/reals.png", "/runs//reals.png",
        "/" + "a" * 5000,
    ],
)  # fmt: skip
def test_no_path_leads_to_a_file(painted, path):
    """Sent as it is: http.client and browsers would tidy some of them."""
    with painted.connect() as client:
        client.sendall(request(path).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404 ") and b"root:" not in answer and b"import" not in answer


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
        b"GET / HTTP/1.1\r\n\r\n", b"GET /\r\n\r\n" * 3, b"\0" * 1000,
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200_000 + b"\r\n",
        b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    ],
)  # fmt: skip
def test_no_http(painted, raw):
    with painted.connect() as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(raw)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            answer = client.recv(65536)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert painted.ask("/healthz").status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "OPTIONS", "PATCH"])
def test_other_methods(painted, method):
    assert painted.ask("/face.png", method).status == 405


def test_a_long_body(painted):
    answer = painted.post(json.dumps({"seed": 1, "n": [0] * 2**20}).encode() + b" " * 10 * 2**20)
    assert answer.status == 413 and "4,096 bytes" in answer.json["detail"]
    assert painted.post({"seed": 1}).status == 200


def test_a_long_query(painted):
    answer = painted.ask("/face.png?seed=" + "9" * 4000)
    assert answer.status == 414 and "2,048 bytes" in answer.json["detail"]


def test_a_long_body_that_nobody_asked_for(painted):
    assert painted.ask("/healthz", "GET", b"x" * 3 * 2**20).status == 200


def test_a_web_page_of_another_name_is_told_nothing(painted):
    """One whose name leads to 127.0.0.1."""
    assert painted.ask("/settings.json", headers={"Host": "evil.example:8000"}).status == 421
    for host in ("localhost", "localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert painted.ask("/settings.json", headers={"Host": host}).status == 200


def test_clients_that_never_end_are_cut_off(painted):
    """Half a head; a head and half a body; an answer that isn't read; a connection that asks nothing."""
    half_head, half_body, unread, silent = (painted.connect() for _ in range(4))
    half_head.sendall(b"GET /face.png HTTP/1.1\r\nHost: local")
    half_body.sendall(
        b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 99\r\n\r\n{"
    )
    unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    unread.sendall(request("/grid.png?n=256&size=128") * 20)
    assert b" 408 " in half_body.recv(65536)
    for client in (half_head, silent):
        assert client.recv(65536) == b""
    assert painted.ask("/face.png").status == 200
    poll = select.poll()
    poll.register(unread, 0)  # reading nothing, only whether the other side has gone
    assert poll.poll(PATIENCE * 1000)
    for client in (half_head, half_body, unread, silent):
        client.close()


def test_a_thousand_at_once(painted):
    """All of them connected at the same time, then all ask: each has its turn."""
    before = painted.memory()
    clients = [painted.connect() for _ in range(1000)]
    try:
        for index, client in enumerate(clients):
            client.sendall(request(f"/face.png?seed=5&index={index}"))
        statuses = [answered(client) for client in clients]
    finally:
        for client in clients:
            client.close()
    assert statuses == [200] * 1000
    assert painted.memory() - before < BOUND
    assert painted.ask("/healthz").status == 200


def test_memory_is_bounded_while_large_answers_are_asked_for_and_not_read(painted):
    """The largest grids, at once, by clients that don't read; single faces are drawn all the while."""
    before, most = painted.memory(), 0
    clients = [painted.connect() for _ in range(150)]
    try:
        for index, client in enumerate(clients):
            large = ("/grid.png?n=256&size=128", "/walk.gif?n=64&size=256", "/face.png?size=1024")[index % 3]
            client.sendall(request(f"{large}&seed={index}"))
        for index in range(20):
            assert painted.ask(f"/face.png?seed=6&index={index}").status == 200
            most = max(most, painted.memory())
    finally:
        for client in clients:
            client.close()
    assert most - before < BOUND
    assert painted.ask("/face.png").status == 200


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"a:\r\n" * 15_000 + b"\r\n", b"HTTP/1.1 400 "),
        (request("/healthz") + b"GET /healthz HTTP/1.1\r\n" + b"a:\r\n" * 15_000 + b"\r\n", b"HTTP/1.1 200 "),
        (request("/face.png?" + "&".join(map(str, range(600)))), b"HTTP/1.1 414 "),
        (posted(b'{"a":[' + b"[]," * 1300 + b"1]}"), b"HTTP/1.1 422 "),
        (posted(b'{"a":[' + b"[]," * 21_000 + b"1]}"), b"HTTP/1.1 413 "),
    ],
)  # fmt: skip
def test_memory_is_bounded_for_requests_that_grow_as_they_are_read(tmp_path, raw, said):
    """1,000 at once: a head of many lines took 30 times its length, lists in JSON 20 times."""
    with server(tmp_path) as started, contextlib.ExitStack() as held:
        before = started.memory()
        clients = [held.enter_context(started.connect()) for _ in range(1000)]
        for client in clients:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has been told no already
                client.sendall(raw)
        assert started.ask("/healthz").status == 200
        with contextlib.suppress(ConnectionResetError):
            assert clients[0].recv(65536).startswith(said)
        assert started.ask("/healthz").status == 200
        assert started.memory("VmHWM") - before < BOUND


@pytest.mark.parametrize(
    ("asked", "sent", "paused", "untaken", "cut"),
    [
        (False, True, False, (0, 0, 0), True),  # a connection that asks nothing
        (True, True, False, (0, 0, 0), False),  # the server is at work
        (True, False, False, (0, 0, 0), True),  # half a request
        (True, True, True, (9, 9, 9), True),  # nothing is taken
        (True, True, True, (9, 8, 7), False),  # it is taken slowly
    ],
)
def test_whom_a_server_that_ends_waits_for(asked, sent, paused, untaken, cut):
    """Three looks at a connection, 0.8 seconds apart."""
    cycle = SimpleNamespace(response_complete=not asked, more_body=not sent)
    transport = mock.Mock(**{"is_closing.return_value": False, "get_extra_info.return_value": None})
    transport.get_write_buffer_size.side_effect = untaken
    flow = SimpleNamespace(write_paused=paused)
    connection = SimpleNamespace(cycle=cycle, transport=transport, flow=flow, _since=None, _untaken=0)
    for now in (0, 0.8, 1.6):
        serving.Patient.check(connection, now, serving.HURRY)
    assert transport.abort.called is cut


def test_on_sigterm_what_is_in_flight_is_answered(tmp_path):
    with server(tmp_path) as ending, ending.connect() as large, ending.connect() as stream:
        stream.sendall(request("/events"))
        assert b"text/event-stream" in stream.recv(65536)
        large.sendall(request("/grid.png?n=128"))
        assert ending.ask("/healthz").status == 200  # it came later, so the grid is being drawn
        assert not select.select([large], [], [], 0)[0]
        os.kill(ending.process.pid, signal.SIGTERM)
        assert answered(large) == 200
        assert ending.process.wait(PATIENCE) in (-signal.SIGTERM, 128 + signal.SIGTERM)
        while stream.recv(65536):  # it has an end
            pass
        with pytest.raises(ConnectionRefusedError):
            ending.connect()


def answered(client: socket.socket) -> int:
    """Read one whole answer; its status."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        assert piece, "the connection was closed"
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    (length,) = (int(row[15:]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:"))
    while len(body) < length:
        piece = client.recv(2**20)
        assert piece, "the answer was cut short"
        body += piece
    return int(head[9:12])
