"""A server on this machine that plays Kaggle, its storage, Hugging Face's hub, and any other that offers files.

The clients find it by their own environment variables: Kaggle's by KAGGLE_API_ENVIRONMENT=LOCALHOST, whose address,
http://localhost, is reached through http_proxy; the hub's by HF_ENDPOINT. It answers as they do, faults included.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

USER, KEY, TOKEN = "mina", "0123456789abcdef-secret-key", "KGAT_secret_token"
SIGNATURE = "X-Goog-Signature=secret-signature"


@dataclass
class Offers:
    """What the server has, and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)  # path on the storage: content
    sets: dict[str, str] = field(default_factory=dict)  # OWNER/NAME on Kaggle: path of its archive
    hub: dict[str, list[str]] = field(default_factory=dict)  # OWNER/NAME on the hub: files, as in `files`
    status: dict[str, int] = field(default_factory=dict)  # api, storage or hub: an error to answer with
    breaks: list[int] = field(default_factory=list)  # bytes after which an answer breaks off, one a request
    pause: threading.Event | None = None  # each answer waits for it, halfway
    ranges: bool = True
    tagged: bool = True
    lies: bool = False  # checksums of something else
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)  # method, URL, headers
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, part: str) -> list[dict[str, str]]:
        """The headers of the requests whose URL has this part, in order."""
        return [headers for _, url, headers in self.seen if part in url]


@contextmanager
def serving(offers: Offers) -> Iterator[Offers]:
    """The server runs while the block does."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"offers": offers}))
    server.daemon_threads = True
    offers.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield offers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    offers: Offers
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Nothing: what was asked is in `Offers.seen`."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        self._note()
        path = urlsplit(self.path).path
        if path.endswith("/IntrospectToken"):
            self._json(200, {"active": body.get("token") == TOKEN, "username": USER})
        elif not self._is_known():
            self._json(401, {"code": 401, "message": "Unauthenticated"})
        elif "api" in self.offers.status:
            status = self.offers.status["api"]
            self._json(status, {"code": status, "message": "no"})
        elif path.endswith("/DownloadDataset"):
            name = f"{body['ownerSlug']}/{body['datasetSlug']}"
            if name in self.offers.sets:
                self._answer(302, b"", {"Location": f"http://storage.test/{self.offers.sets[name]}?{SIGNATURE}"})
            else:
                self._json(404, {"code": 404, "message": "Not found"})
        else:
            self._json(404, {"code": 404, "message": f"no such method {path}"})

    def do_GET(self) -> None:
        self._note()
        path = unquote(urlsplit(self.path).path).lstrip("/")
        dataset = re.fullmatch(r"api/datasets/([^/]+/[^/]+)(/revision/[^/]+)?", path)
        resolved = re.fullmatch(r"datasets/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path)
        if dataset:
            self._describe(dataset[1])
        elif resolved:
            self._file(resolved[2], "hub")
        else:
            self._file(path, "storage")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _note(self) -> None:
        self.offers.seen.append(
            (self.command, self.path, {name.title(): value for name, value in self.headers.items()})
        )

    def _is_known(self) -> bool:
        basic = base64.b64encode(f"{USER}:{KEY}".encode()).decode()
        return self.headers.get("Authorization") in (f"Basic {basic}", f"Bearer {TOKEN}")

    def _describe(self, name: str) -> None:
        if "hub" in self.offers.status:
            status = self.offers.status["hub"]
            gated = {"X-Error-Code": "GatedRepo"} if status == 403 else {}
            self._json(status, {"error": "no"}, gated)
            return
        if name not in self.offers.hub:
            self._json(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
            return
        siblings = []
        for file in self.offers.hub[name]:
            data = b"other" if self.offers.lies else self.offers.files.get(file, b"")
            lfs = {
                "sha256": hashlib.sha256(data).hexdigest(),
                "oid": hashlib.sha256(data).hexdigest(),
                "size": len(data),
            }
            siblings.append({"rfilename": file, "size": len(data), "lfs": {**lfs, "pointerSize": 130}})
        self._json(200, {"id": name, "sha": "a" * 40, "siblings": siblings, "private": False, "tags": []})

    def _file(self, path: str, kind: str) -> None:
        if path not in self.offers.files or kind in self.offers.status:
            return self._answer(self.offers.status.get(kind, 404), b"<html>no</html>", {})
        data = self.offers.files[path]
        tag = f'"{hashlib.md5(data).hexdigest()}"'
        headers = {"ETag": tag} if self.offers.tagged else {}
        md5 = hashlib.md5(b"other" if self.offers.lies else data).digest()
        if kind == "storage":
            headers["x-goog-hash"] = f"crc32c=AAAAAA==,md5={base64.b64encode(md5).decode()}"
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and self.offers.ranges and self.headers.get("If-Range") in (tag, None):
            first = int(asked[1])
            if first >= len(data):
                return self._answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            whole = f"bytes {first}-{len(data) - 1}/{len(data)}"
            return self._answer(206, data[first:], {**headers, "Content-Range": whole})
        return self._answer(200, data, headers)

    def _json(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        self._answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data)), "Accept-Ranges": "bytes"}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if status in (200, 206) and "Content-Type" not in headers:
            if self.offers.breaks:
                data, self.close_connection = data[: self.offers.breaks.pop(0)], True
            if self.offers.pause is not None:
                self.wfile.write(data[: len(data) // 2])
                self.wfile.flush()
                self.offers.pause.wait(60)
                data = data[len(data) // 2 :]
        self.wfile.write(data)
