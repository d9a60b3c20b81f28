"""/runs and /runs/NAME in Chromium: they renew themselves, survive what happens to a run, and show text as text."""

import json
import shutil

import pytest
from made_runs import goes_on, line, make
from servers import server

pytest.importorskip("fastapi")
pytest.importorskip("onnxruntime")

DESKTOP = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True, "is_mobile": True}
HTML = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def watched(runs):
    with server(runs) as started:
        yield started


def shows(page, selector: str, text: str) -> None:
    """Wait until the page does. (`wait_for_function` would evaluate a string, which the page's policy forbids.)"""
    page.locator(selector).and_(page.get_by_text(text, exact=True)).wait_for()


def test_the_table_renews_itself(runs, watched, visit):
    make(runs / "first", 30)
    page = visit(f"{watched.address}runs")
    row = page.locator("li", has_text="first")
    row.wait_for()
    assert (
        "step 30 of 100" in row.inner_text() and "best score 3.33" in row.inner_text() and "stopped" in row.inner_text()
    )
    assert row.locator("progress").evaluate("bar => bar.value / bar.max") == 0.3
    run = make(runs / "second", 10)
    page.locator("li", has_text="second").wait_for()
    goes_on(run, 11, 20)
    page.locator("li", has_text="step 20 of 100").wait_for()
    assert page.locator("li a").first.inner_text() == "second"  # the newest first
    page.get_by_role("link", name="second").click()
    page.get_by_role("heading", name="second", exact=True).wait_for()


def test_a_run_as_it_learns(runs, watched, visit):
    run = make(runs / "learns", 25)
    page = visit(f"{watched.address}runs/learns", **DESKTOP)
    shows(page, "#step-value", "20 (newest)")
    image = page.locator("#sample")
    assert image.get_attribute("src") == "learns/samples/000020.png"
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert len(page.locator(".chart polyline").first.get_attribute("points").split()) == 25
    goes_on(run, 26, 40)
    with run.log.open("a") as log:
        log.write(json.dumps({"step": 40, "kind": "collapse", "warning": "netG has collapsed"}) + "\n")
    page.get_by_text("Step 40: netG has collapsed").wait_for()
    shows(page, "#step-value", "40 (newest)")
    assert len(page.locator(".chart polyline").first.get_attribute("points").split()) == 40
    assert page.locator("#summary").inner_text().startswith("step 40 of 100 · best score 2.5 at step 40")


def test_the_slider_goes_through_all_samples_by_keyboard(runs, watched, visit):
    run = make(runs / "slides", 50)
    page = visit(f"{watched.address}runs/slides")
    slider = page.get_by_role("slider", name="Step")
    slider.focus()
    page.keyboard.press("Home")
    assert page.locator("#step-value").inner_text() == "10"
    page.keyboard.press("ArrowRight")
    assert page.locator("#sample").get_attribute("src") == "slides/samples/000020.png"
    assert slider.get_attribute("aria-valuetext") == "step 20"
    goes_on(run, 51, 60)
    page.locator("#step[max='5']").wait_for()
    assert page.locator("#step-value").inner_text() == "20"  # the visitor's choice stays
    page.get_by_role("button", name="Newest").click()
    assert page.locator("#step-value").inner_text() == "60 (newest)"
    page.get_by_role("button", name="Play").click()
    shows(page, "#step-value", "10")
    shows(page, "#step-value", "60 (newest)")  # and ends there
    assert page.locator("#play").inner_text() == "Play"


def test_nothing_in_a_runs_files_becomes_html(runs, watched, visit):
    name = "<b>bold</b>".replace("/", "")
    run = make(runs / name, 5, recipe="mxgan", data=HTML, **{HTML: HTML})
    run.write_json("state.json", {"state": "failed", "why": HTML})
    with run.log.open("a") as log:
        log.write(
            json.dumps({"step": 5, "kind": HTML, "warning": HTML}) + "\n" + json.dumps(line(6, epoch=HTML)) + "\n"
        )
    page = visit(f"{watched.address}runs")
    page.get_by_role("link", name=name).click()
    page.locator("#warnings li").wait_for()
    assert page.locator("#warnings li").inner_text() == f"Step 5: {HTML}"
    assert HTML in json.loads(page.locator("#config").text_content())["data"]
    assert page.locator("#notice").inner_text() == HTML
    assert page.locator("h1").inner_text() == name and page.title() == f"{name} – run"
    assert page.locator("main img[onerror], main script, h1 b").count() == 0


def test_a_run_that_vanishes_while_it_is_watched(runs, watched, visit):
    make(runs / "vanishes", 20)
    page = visit(f"{watched.address}runs/vanishes")
    shows(page, "#state", "stopped")
    shutil.rmtree(runs / "vanishes")
    page.get_by_text("no longer there: it was moved or deleted").wait_for()
    assert page.locator("#state").inner_text() == "gone"
    assert page.locator(".chart polyline").count() == 5  # the last that was known stays


def test_a_damaged_run_is_called_so(runs, watched, visit):
    run = make(runs / "damaged", 20)
    (run.path / "config.json").write_text("{")
    page = visit(f"{watched.address}runs/damaged")
    shows(page, "#state", "damaged")
    assert "config.json: can't be read" in page.locator("#notice").inner_text()
    assert page.locator(".chart").count() == 3  # its log is sound
    (run.path / "config.json").write_text(" " * 2**20)
    page.get_by_text("so no run wrote it").wait_for()


def test_a_run_before_its_first_step(runs, watched, visit):
    make(runs / "young")
    page = visit(f"{watched.address}runs/young")
    page.get_by_text("The first samples come with the end of the first epoch").wait_for()
    assert page.get_by_text("The first numbers come with the first step").is_visible()


def test_no_such_run_is_a_page(watched, browser):
    page = browser.new_page()
    answer = page.goto(f"{watched.address}runs/none")
    assert answer.status == 404
    page.get_by_role("heading", name="There is no such run here").wait_for()
    page.get_by_role("link", name="All runs").click()
    page.get_by_role("heading", name="Runs").wait_for()
    page.close()


def test_a_server_that_ends_is_said_and_found_again(tmp_path, browser):
    make(tmp_path / "runs" / "a", 10)
    page = browser.new_page()
    page.set_default_timeout(60_000)
    with server(tmp_path / "runs") as first:
        page.goto(f"{first.address}runs/a")
        shows(page, "#state", "stopped")
    page.get_by_text("The server can't be reached").wait_for()
    with server(tmp_path / "runs", "--port", first.port) as again:
        assert again.port == first.port
        page.locator("#notice").wait_for(state="hidden")
    page.close()


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", ["runs", "runs/shown"])
def test_for_everybody(runs, watched, visit, screen, path):
    """axe finds no serious fault, and nothing is wider than the screen."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    if not (runs / "shown").exists():
        run = make(runs / "shown", 60)
        with run.log.open("a") as log:
            log.write(json.dumps({"step": 33, "kind": "d_wins", "warning": "netD has won: " + "x" * 200}) + "\n")
    page = visit(f"{watched.address}{path}", **screen)
    page.locator("li" if path == "runs" else "#warnings li").first.wait_for()
    page.locator("summary").last.click() if path != "runs" else None
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
