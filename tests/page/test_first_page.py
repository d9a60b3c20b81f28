"""The first page in Chromium: on the static site, where the browser draws the faces, and from the server."""

import io
import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

from mxgan import rng, sampling, walks

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
STILL = {"reduced_motion": "reduce"}


@pytest.fixture(scope="module")
def generator():
    return sampling.load_generator("painted", "onnx", "cpu")


def shown(page, query=""):
    """Wait until the large face is one whose address begins so; its address."""
    page.wait_for_selector(f'#face[data-shown^="{query}"]')
    return page.get_attribute("#face", "data-shown")


def until(page, expression):
    """Wait until JavaScript is true of the page. Playwright's own way to wait so is forbidden by the page's policy."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"not in 30 s: {expression}")


def query_of(page):
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def saved(page):
    """The face as the page gives it as a file: its name and its pixels."""
    with page.expect_download() as download:
        page.click("#save")
    picture = Image.open(io.BytesIO(download.value.path().read_bytes()))
    return download.value.suggested_filename, np.array(picture.convert("RGB")).astype(int)


def test_an_address_shows_the_picture_that_generate_makes(visit, page_of_faces, generator):
    page = visit(f"{page_of_faces}?seed=7&index=70")
    shown(page, "seed=7&index=70")
    name, pixels = saved(page)
    wanted = generator.generate(rng.samples(7, 70, 1, 150))[0]
    assert name == "seed0007-000070.png"
    assert pixels.shape == (64, 64, 3) and np.abs(pixels - wanted).max() <= 1
    assert page.inner_text("#caption") == page.get_attribute("#face", "aria-label") == "Face 70 of seed 7"
    about = page.inner_text("#about")
    assert re.match("Drawn (in this browser by WebAssembly|by the server on onnx), with painted", about)


def test_a_walk_and_truncation_show_what_walks_says(visit, page_of_faces, generator):
    query = "seed=1&index=2&truncation=0.6&to_seed=3&to_index=4&t=0.25"
    page = visit(f"{page_of_faces}?{query}")
    shown(page, query)
    ends = rng.samples(1, 2, 1, 150)[0], rng.samples(3, 4, 1, 150)[0]
    wanted = generator.generate(walks.truncated(walks.slerp(*ends, np.array([0.25])), 0.6))[0]
    name, pixels = saved(page)
    assert name == "seed0001-000002-to-seed0003-000004-t0.25-truncation0.6.png"
    assert np.abs(pixels - wanted).max() <= 1
    assert page.input_value("#walk-t") == "0.25" and page.input_value("#truncation") == "0.6"


def test_a_reload_is_another_face_and_an_address_stays(visit, page_of_faces):
    page = visit(page_of_faces)
    first = shown(page, "seed=")
    assert urlsplit(page.url).query == first  # which can be sent to somebody
    page.reload()
    second = shown(page, "seed=")
    assert second != first
    page.goto(f"{page_of_faces}?{first}")
    assert shown(page, "seed=") == first


def test_the_keyboard_goes_on_and_back(visit, page_of_faces):
    page = visit(f"{page_of_faces}?seed=5&index=0")
    shown(page, "seed=5&index=0")
    page.keyboard.press("Space")
    shown(page, "seed=5&index=1")
    page.keyboard.press("ArrowRight")
    shown(page, "seed=5&index=2")
    page.keyboard.press("ArrowLeft")
    shown(page, "seed=5&index=1")
    assert page.evaluate("scrollY") == 0
    page.go_back()
    shown(page, "seed=5&index=2")
    assert query_of(page) == {"seed": "5", "index": "2"}


def test_two_faces_of_the_grid_are_walked_between(visit, page_of_faces):
    page = visit(f"{page_of_faces}?seed=0&index=17", **STILL)
    page.click("button[aria-label='Face 3']")
    shown(page, "seed=0&index=3")
    assert "Face 3 is the start" in page.inner_text("#status")
    page.click("button[aria-label='Face 9']")
    shown(page, "seed=0&index=3&to_seed=0&to_index=9&t=0.5")
    page.focus("#walk-t")
    page.keyboard.press("ArrowRight")
    shown(page, "seed=0&index=3&to_seed=0&to_index=9&t=0.51")
    assert query_of(page)["t"] == "0.51" and page.get_attribute("#walk-t", "aria-valuetext") == "51%"
    page.keyboard.press("Escape")
    shown(page, "seed=0&index=9")
    assert query_of(page) == {"seed": "0", "index": "9"} and page.is_hidden("#walk-t")


def test_a_walk_plays_to_its_end(visit, static_page):
    page = visit(f"{static_page}?seed=0&index=3&to_seed=0&to_index=9&t=0.9")
    shown(page, "seed=0&index=3")
    page.click("#walk-play")
    shown(page, "seed=0&index=3&to_seed=0&to_index=9&t=1")
    until(page, "location.search.endsWith('t=1')")
    assert page.inner_text("#walk-play") == "▶"


def test_the_grid_goes_on_as_one_scrolls_and_by_arrow_keys(visit, page_of_faces):
    page = visit(f"{page_of_faces}?seed=0&index=70", **PHONE)
    page.wait_for_selector("button.cell.drawn")
    assert page.get_attribute(".cell", "aria-label") == "Face 64"  # where a grid of `mxgan generate` begins
    count = page.locator(".cell").count()
    page.locator(".cell").last.scroll_into_view_if_needed()
    until(page, f"document.querySelectorAll('.cell').length > {count}")
    page.locator(".cell").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.ariaLabel") == "Face 69"  # four in a row on a phone
    assert page.locator(".cell[tabindex='0']").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_more_like_this_shows_small_steps_from_a_face(visit, page_of_faces):
    page = visit(f"{page_of_faces}?seed=0&index=1", **STILL)
    shown(page, "seed=0&index=1")
    page.click("#like")
    assert page.inner_text("#crowd-title") == "Like face 1 of seed 0"
    page.click(".cell >> nth=1")
    shown(page, "seed=0&index=1&to_seed=0&to_index=2&t=0.2")
    page.click("#all")
    page.wait_for_selector("button[aria-label='Face 0'].drawn")


def test_truncation_changes_all_faces(visit, page_of_faces):
    page = visit(f"{page_of_faces}?seed=0&index=1")
    page.wait_for_selector("button[aria-label='Face 0'].drawn")
    picture = "document.querySelector('.cell canvas').toDataURL()"
    before = page.evaluate(picture)
    page.fill("#truncation", "0.5")
    shown(page, "seed=0&index=1&truncation=0.5")
    until(page, f"{picture} !== {before!r}")
    assert query_of(page)["truncation"] == "0.5"


def test_a_wrong_address_is_said_and_another_face_shown(visit, page_of_faces):
    page = visit(f"{page_of_faces}?seed=<img src=x>&index=0")
    shown(page, "seed=")
    assert page.inner_text("#status").startswith("seed <img src=x> is not a whole number")
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault(visit, page_of_faces, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(f"{page_of_faces}?seed=0&index=3&to_seed=0&to_index=9&t=0.5", color_scheme=scheme)
    page.wait_for_selector(".cell.drawn")
    found = axe.run(page).response["violations"]
    assert [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in found] == []


def test_nothing_but_the_hosts_own_files_may_be_had(browser, page_of_faces):
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_of_faces)
    shown(page, "seed=")
    policy = page.get_attribute("meta[http-equiv='Content-Security-Policy']", "content")
    assert policy.startswith("default-src 'none'") and "unsafe-inline" not in policy
    elsewhere = page_of_faces.replace("127.0.0.1", "localhost")
    assert page.evaluate("(url) => fetch(url).then(() => 'had', () => 'refused')", elsewhere) == "refused"
    done = page.evaluate("""() => new Promise((resolve) => {
        const script = document.createElement("script");
        addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
        script.textContent = "document.title = 'run'";
        document.head.append(script);
    })""")
    assert done == "script-src-elem" and page.title() == "This face does not exist"
    if "/some/where/" in page_of_faces:
        assert any(url.endswith("/netG.onnx.gz") for url in asked)  # a worker's requests are seen too
    assert asked and all(url.startswith(("http://127.0.0.1:", "blob:http://127.0.0.1:")) for url in asked)
    page.close()


def test_webgpu_draws_the_same_faces_and_the_page_says_so(launch, static_page, generator):
    """By Chromium's GPU in software, which the page itself wouldn't choose: it is slower than WebAssembly."""
    browser = launch("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
    page = browser.new_page()
    page.goto(static_page)
    shown(page, "seed=")
    assert page.inner_text("#about").startswith("Drawn in this browser by WebAssembly")
    page.goto(f"{static_page}?seed=7&index=70&backend=webgpu")
    shown(page, "seed=7&index=70")
    assert page.inner_text("#about").startswith("Drawn in this browser by WebGPU")
    _, pixels = saved(page)
    browser.close()
    assert np.abs(pixels - generator.generate(rng.samples(7, 70, 1, 150))[0]).max() <= 1


def test_a_server_that_fails_is_quoted_and_asked_again(browser, served_page):
    page = browser.new_page()
    page.route("**/face.png*", lambda route: route.fulfill(status=503, json={"detail": "the server is ending"}))
    page.goto(f"{served_page}?seed=0&index=0")
    page.get_by_text("This face can't be drawn: the server is ending").wait_for()
    page.unroute("**/face.png*")
    page.keyboard.press("Space")
    shown(page, "seed=0&index=1")
    page.fill("#truncation", "0.9")
    page.wait_for_selector("button[aria-label='Face 0'].drawn")
    page.close()
