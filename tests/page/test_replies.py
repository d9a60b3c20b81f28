"""What a reply holds is given back however it ends."""

import asyncio

import pytest

replies = pytest.importorskip("mxgan.page.server.replies")


@pytest.mark.parametrize("taken", [1, 2, None])
def test_a_file_is_closed(tmp_path, taken):
    """``taken``: how many messages the client takes before it goes; None: all."""
    path = tmp_path / "picture.png"
    path.write_bytes(bytes(range(256)) * 200)
    file, sent, size = path.open("rb"), [], path.stat().st_size
    reply = replies.FromFile(file, size)

    async def send(message):
        if len(sent) == taken:
            raise OSError("the client has gone")
        sent.append(message)

    async def receive():
        await asyncio.Event().wait()

    scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}}
    ended = asyncio.run(_outcome(reply(scope, receive, send)))
    assert file.closed
    assert (ended is None) is (taken is None)
    if taken is None:
        assert b"".join(one.get("body", b"") for one in sent) == path.read_bytes()


async def _outcome(coroutine):
    """The error, kept, so that nothing is freed before it is looked at; None without one."""
    try:
        await coroutine
    except Exception as error:
        return error
    return None
