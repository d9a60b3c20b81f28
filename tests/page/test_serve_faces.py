"""Faces over HTTP are those of `mxgan generate`, each at its address, whoever asks at the same time."""

import base64
import io
import json
import threading

import cv2
import numpy as np
import pytest
from networks import generator as tiny_generator
from servers import Answer, server

from mxgan import plots, rng, walks
from mxgan.sampling import load_generator
from mxgan.weights import files

pytest.importorskip("fastapi")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def painted():
    with server() as started:
        yield started


@pytest.fixture(scope="module")
def netG():
    return load_generator("painted", "onnx")


def near(found, wanted):
    """Equal but for the last bit of an engine's sums, which depends on the batch."""
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).max() <= 1
    assert (found != wanted).mean() < 0.001


@pytest.mark.parametrize(("seed", "index"), [(0, 0), (0, 17), (7, 63), (7, 64), (7, 200), (2**63 - 1, 5)])
def test_an_address_is_the_picture_that_generate_makes(painted, netG, seed, index):
    answer = painted.ask(f"/face.png?seed={seed}&index={index}")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    near(answer.picture, netG.sample(index + 1, seed)[index])


def test_an_index_that_generate_would_take_years_to_reach(painted, netG):
    last = 2**53 - 1
    near(painted.ask(f"/face.png?index={last}").picture, netG.generate(rng.samples(0, last, 1, 150))[0])


def test_a_walks_middle_and_truncation(painted, netG):
    first, second = rng.samples(3, 5, 1, 150)[0], rng.samples(4, 9, 1, 150)[0]
    query = "seed=3&index=5&to_seed=4&to_index=9&t=0.25&truncation=0.7"
    wanted = netG.generate(walks.truncated(walks.slerp(first, second, 0.25)[None], 0.7))[0]
    near(painted.ask(f"/face.png?{query}").picture, wanted)
    same = painted.ask("/face.png?seed=3&index=5&to_index=9&t=1").picture  # the second of the first's seed
    near(same, netG.sample(10, 3)[9])


def test_sizes(painted, netG):
    small, large = (painted.ask(f"/face.png?index=2&size={size}").picture for size in (32, 512))
    near(small, cv2.resize(netG.sample(3)[2], (32, 32), interpolation=cv2.INTER_AREA))
    near(large, cv2.resize(netG.sample(3)[2], (512, 512), interpolation=cv2.INTER_LINEAR))


def test_a_grid(painted, netG):
    near(painted.ask("/grid.png?seed=1&index=60&n=9").picture, plots.grid(netG.sample(69, 1)[60:]))
    near(painted.ask("/grid.png?seed=1&n=6&columns=3").picture, plots.grid(netG.sample(6, 1), 3))


def test_a_walk(painted, netG):
    from PIL import Image

    answer = painted.ask("/walk.gif?seed=0&index=3&to_index=8&n=5&ms=40&size=32")
    assert answer.headers["content-type"] == "image/gif"
    gif = Image.open(io.BytesIO(answer.body))
    assert (gif.n_frames, gif.size, gif.info["duration"], gif.info["loop"]) == (8, (32, 32), 40, 0)  # and back
    gif.seek(4)
    far = cv2.resize(netG.sample(9)[8], (32, 32), interpolation=cv2.INTER_AREA)
    assert np.abs(np.asarray(gif.convert("RGB")).astype(int) - far).mean() < 12  # 256 colours
    one_way = Image.open(io.BytesIO(painted.ask("/walk.gif?n=5&back=false").body))
    assert one_way.n_frames == 5


def test_faces_for_programs(painted, netG):
    answer = painted.post({"seed": 2, "index": 4, "n": 3, "format": "base64"})
    assert answer.headers["content-type"] == "application/json"
    assert [(one["seed"], one["index"]) for one in answer.json["faces"]] == [(2, 4), (2, 5), (2, 6)]
    for one, wanted in zip(answer.json["faces"], netG.sample(7, 2)[4:]):
        near(Answer(200, {}, base64.b64decode(one["png"])).picture, wanted)
    near(painted.post({"seed": 2, "index": 4, "n": 3}).picture, plots.grid(netG.sample(7, 2)[4:]))
    near(painted.post({"seed": 2, "index": 4}).picture, netG.sample(5, 2)[4])


def test_everybody_gets_their_own_of_a_batch(painted, netG):
    wanted, found = netG.sample(40, 11), {}

    def ask(index):
        found[index] = painted.ask(f"/face.png?seed=11&index={index}").picture

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(40):
        near(found[index], wanted[index])


def test_a_face_is_sent_once(painted):
    version = painted.ask("/settings.json").json["version"]
    first = painted.ask("/face.png?index=1")
    assert first.headers["cache-control"] == "no-cache"  # the server may have another generator tomorrow
    again = painted.ask("/face.png?index=1&seed=0", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert painted.ask("/face.png?index=2", headers={"If-None-Match": first.headers["etag"]}).status == 200
    kept = painted.ask(f"/face.png?index=1&v={version}")
    assert "immutable" in kept.headers["cache-control"] and kept.headers["etag"] == first.headers["etag"]
    assert painted.ask("/face.png?index=1&v=older").headers["cache-control"] == "no-cache"
    head = painted.ask("/face.png?index=1", "HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", first.headers["content-length"])


def test_another_generator_has_other_versions(painted, tmp_path):
    files.save(tmp_path / "tiny.npz", tiny_generator())
    with server("--weights", tmp_path / "tiny.npz") as other:
        ours, theirs = (one.ask("/settings.json").json for one in (painted, other))
        assert (theirs["name"], theirs["latent"], theirs["height"]) == ("tiny", 6, 64)
        assert ours["version"] != theirs["version"]
        tags = {one.ask("/face.png").headers["etag"] for one in (painted, other)}
        assert len(tags) == 2


def test_health_and_the_description(painted):
    assert painted.ask("/healthz").json == {"status": "ok", "generator": "painted-64", "engine": "onnx"}
    described = painted.ask("/openapi.json").json
    assert set(described["paths"]) == {"/healthz", "/face.png", "/grid.png", "/walk.gif", "/api/generate"}
    assert painted.ask("/docs").status == painted.ask("/redoc").status == 404  # they load from other hosts


@pytest.mark.parametrize(
    "path", ["/", "/runs", "/face.png", "/face.png?n=1", "/no/such/page", "/runs/none", "/style.css"]
)
def test_what_browsers_are_told(painted, path):
    headers = painted.ask(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    policy = dict(rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]


def test_labels(tmp_path):
    from test_cli_networks import conditional

    files.save(tmp_path / "netG.npz", conditional())
    netG = load_generator(tmp_path / "netG.npz", "onnx")
    with server("--weights", tmp_path / "netG.npz") as conditional_one:
        assert conditional_one.ask("/settings.json").json["classes"] == 3
        near(conditional_one.ask("/face.png?index=4&label=2").picture, netG.sample(5, labels=2)[4])
        near(conditional_one.ask("/face.png?index=4").picture, netG.sample(5, labels=1)[4])  # 4 modulo 3
        near(conditional_one.ask("/grid.png?n=5").picture, plots.grid(netG.sample(5, labels=np.arange(5) % 3)))
        assert "knows 0 to 2" in conditional_one.ask("/face.png?label=3").json["detail"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("index=-1", "index: "),
        ("index=9007199254740992", "index: "),
        ("index=1e99", "index: "),
        ("seed=9223372036854775808", "seed: "),
        (f"seed={'9' * 2000}", "seed: "),
        ("truncation=nan", "truncation: "),
        ("truncation=inf", "truncation: "),
        ("truncation=0", "truncation: "),
        ("t=0.5", "towards which face? give to_index"),
        ("t=nan&to_index=1", "t: "),
        ("size=1025", "size: "),
        ("size=0", "size: "),
        ("sed=3", "sed: "),
        ("label=0", "isn't conditional"),
        ("seed=%00", "seed: "),
        ("seed=<script>", "seed: "),
    ],
)
def test_what_a_face_cannot_be(painted, query, said):
    answer = painted.ask(f"/face.png?{query}")
    assert answer.status == 422 and answer.headers["content-type"] == "application/json"
    assert said in answer.json["detail"] and "<script>" not in answer.json["detail"]


@pytest.mark.parametrize(
    "path", ["/grid.png?n=257", "/grid.png?n=0", "/grid.png?n=100&size=1024", "/walk.gif?n=121", "/walk.gif?ms=1"]
)
def test_bounds(painted, path):
    assert painted.ask(path).status == 422


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"nonsense", b'{"n": NaN}', b'{"truncation": NaN}', b'{"n": 1e9}', b"[" * 4000,
        json.dumps({"n": "x" * 4000}).encode(),
    ],
)  # fmt: skip
def test_no_json(painted, body):
    answer = painted.post(body)
    assert answer.status in (400, 422) and len(answer.body) < 3000
    answer.json  # noqa: B018
