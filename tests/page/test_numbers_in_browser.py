"""The page's JavaScript draws the latents that mxgan's Python draws."""

from pathlib import Path

import numpy as np
import numpy.random._generator
import pytest

from mxgan import rng, walks

TAIL = 3.6541528853610088  # where the ziggurat's last strip ends: numbers beyond take another way


@pytest.fixture(scope="module")
def script(browser, static_page):
    """``script(body)``: what a JavaScript function with this body returns, with the page's modules in its hands."""
    page = browser.new_page()
    page.goto(f"{static_page}icon.svg")  # a page of that host without a script of its own

    def run(body, *arguments):
        names = ("latents", "normal", "philox", "address")
        modules = ", ".join(f"import('{static_page}{name}.js')" for name in names)
        begin = f"const [{', '.join(names)}] = await Promise.all([{modules}]);"
        return page.evaluate(f"async (given) => {{ {begin} {body} }}", list(arguments))

    yield run
    page.close()


def drawn(script, seed, first, n, latent, uniform=False):
    body = """const [seed, first, n, latent, uniform] = given;
    return Array.from({length: n}, (_, i) => [...latents.sample(seed, first + i, {latent, uniform})]);"""
    return np.array(script(body, str(seed), first, n, latent, uniform), np.float64)


@pytest.mark.parametrize(("seed", "first", "n"), [(0, 0, 100), (2**63 - 1, 60, 80), (1234567890123456789, 2**40, 70)])
def test_normal_latents_are_numpys(script, seed, first, n):
    """37,500 numbers in all. Beyond the last strip NumPy's logarithm may be rounded otherwise: the last bit is free."""
    found, wanted = drawn(script, seed, first, n, 150), rng.samples(seed, first, n, 150)
    assert (found == found.astype(np.float32)).all()
    tail = np.abs(wanted) > TAIL
    assert tail.any()
    np.testing.assert_array_equal(found[~tail], wanted[~tail])
    np.testing.assert_array_max_ulp(found[tail].astype(np.float32), wanted[tail], maxulp=1)


def test_uniform_latents_are_numpys(script):
    np.testing.assert_array_equal(drawn(script, 7, 50, 80, 128, True), rng.samples(7, 50, 80, 128, uniform=True))


def test_the_tables_are_numpys(script):
    """Computed from the paper, they have the bytes of those that NumPy's library was compiled with."""
    library = Path(numpy.random._generator.__file__).read_bytes()
    tables = script("return normal.tables().map((table) => [...table])")
    for table, dtype in zip(tables, ("<u4", "<f4", "<f4")):
        assert len(table) == 256 and np.array(table, dtype).tobytes() in library


@pytest.mark.parametrize("t", [0, 0.2, 0.5, 1])
def test_a_walk_is_walks_slerp(script, t):
    a, b = rng.samples(5, 3, 1, 150)[0], rng.samples(6, 9, 1, 150)[0]
    body = """const [t] = given; const settings = {latent: 150, uniform: false};
    const to = {seed: "6", index: 9};
    return [...latents.latentOf({seed: "5", index: 3, truncation: 0.7, label: null, to, t}, settings)];"""
    wanted = walks.truncated(walks.slerp(a, b, t), 0.7)
    np.testing.assert_allclose(script(body, t), wanted, rtol=0, atol=4e-7)


@pytest.mark.parametrize("factor", [1, -1, 0])
def test_latents_of_one_direction_are_joined_by_a_line(script, factor):
    a = rng.samples(0, 0, 1, 10)[0]
    b = a * np.float32(factor)
    body = "const [a, b] = given.map((one) => Float32Array.from(one)); return [...latents.slerp(a, b, 0.25)];"
    found = script(body, a.tolist(), b.tolist())
    np.testing.assert_allclose(found, walks.slerp(a, b, 0.25), rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    "text",
    ["seed=-1", "seed=1.5", "seed=9223372036854775808", "seed=", "index=NaN", "index=9007199254740992",
     "seed=1&index=1e3", "seed=0&truncation=0", "seed=0&to_index=1&t=x", "seed=0&truncation=1.01",
     "seed=0&to_index=1&t=-0.1", "seed=%3Cscript%3E", "seed=" + "9" * 400],
)  # fmt: skip
def test_a_wrong_address_is_named_and_not_drawn(script, text):
    found = script("return address.parse(given[0])", text)
    assert found["address"] is None
    assert found["problem"].startswith(text.split("&")[-1].split("=")[0]) and len(found["problem"]) < 120


@pytest.mark.parametrize(
    "text",
    ["seed=0&index=17", "seed=9223372036854775807&index=3&truncation=0.7", "seed=4&index=0&label=2",
     "seed=0&index=1&to_seed=5&to_index=2&t=0.25"],
)  # fmt: skip
def test_an_address_is_read_as_it_is_written(script, text):
    assert script("return address.query(address.parse(given[0], 3).address)", text) == text
