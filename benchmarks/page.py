"""The static site in headless Chromium: seconds and bytes to the first face, milliseconds a face after it.

    python benchmarks/page.py                       # writes a site with the generator that comes with mxgan
    python benchmarks/page.py --weights last --visits 9

Each visit is a new profile: nothing is cached. The host is `python -m http.server`, on this machine, which compresses
nothing. Chromium's generator runs on one thread. A face's time is all of it: its latent, the network, the way to and
from the worker, the picture that the page can draw. Needs Chromium, npm and the extras page and test.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from mxgan import machine
from mxgan.page import static

FACES = 60  # drawn after the first, one after another
SEEN = """new MutationObserver(() => {
    const shown = document.querySelector("#face[data-shown]");
    if (shown && !window.firstFace) window.firstFace = performance.now();
}).observe(document, {subtree: true, childList: true, attributes: true});"""
DRAW = """async ([number]) => {
    const settings = await (await fetch("settings.json")).json();
    const { open } = await import(new URL("from_browser.js", document.baseURI));
    const { plain } = await import(new URL("address.js", document.baseURI));
    const source = await open(settings, () => {});
    const times = [];
    for (let index = 0; index < number; index++) {
        const begun = performance.now();
        (await source.draw(plain("1", index))).close();
        times.push(performance.now() - begun);
    }
    return times;
}"""


def main() -> None:
    """Print what was measured, and with --json write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="painted", metavar="FILE|RUN")
    parser.add_argument("--visits", type=int, default=5, metavar="N", help="how often the page is opened anew")
    parser.add_argument("--chromium", default=shutil.which("chromium"), metavar="PROGRAM")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if not options.chromium:
        parser.error("--chromium: there is none on the PATH; name its program")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = static.build(options.weights, Path(folder) / "site")
        port = free_port()
        host = subprocess.Popen(
            [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"http://127.0.0.1:{port}/site/"
            wait_for(address)
            browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
            first = [visited(browser, address) for _ in range(options.visits)]
            times = drawn(browser, address)
            version = browser.version
            browser.close()
        finally:
            host.terminate()
            host.wait()
    report = {
        "chromium": version,
        "processor": machine.processor(),
        "first_face_s": {"median": float(np.median(first)), "least": min(first), "most": max(first)},
        "face_ms": {"median": float(np.median(times)), "least": min(times), "most": max(times)},
        "bytes": site.sent["wasm"],
        "bytes_webgpu": site.sent["webgpu"],
    }
    print(f"Chromium {version}, {report['processor']}; {options.visits} visits, then {FACES} faces")
    for name, what in (("first_face_s", "s to the first face"), ("face_ms", "ms a face after it")):
        print("{median:8.2f} {what:22} (least {least:.2f}, most {most:.2f})".format(what=what, **report[name]))
    print(f"{site.sent['wasm'] / 1e6:8.2f} MB to the first face      ({site.sent['webgpu'] / 1e6:.2f} with WebGPU)")
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def visited(browser: Browser, address: str) -> float:
    """Seconds from the start of the navigation to the first face, in a new profile."""
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(SEEN)
    page.goto(f"{address}?seed=0&index=17")
    page.wait_for_selector("#face[data-shown]")
    seconds = page.evaluate("window.firstFace") / 1000
    context.close()
    return seconds


def drawn(browser: Browser, address: str) -> list[float]:
    """Milliseconds for each of `FACES` faces, by a generator that has nothing else to do."""
    page = browser.new_page()
    page.goto(f"{address}icon.svg")  # of that host, and without the page's own generator
    page.wait_for_load_state()
    times = page.evaluate(DRAW, [FACES])
    page.close()
    return times[1:]  # the first draws itself up


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(address: str) -> None:
    """Wait until the host answers."""
    for _ in range(100):
        try:
            urllib.request.urlopen(address).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"{address} doesn't answer")


if __name__ == "__main__":
    main()
