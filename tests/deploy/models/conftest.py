"""A server of files on 127.0.0.1 that can resume, break off, change its mind, and counts what it sends."""

import dataclasses
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclasses.dataclass
class Shelf:
    """What the server has, and how it behaves."""

    url: str
    content: bytes = b""
    etag: str = '"one"'
    ranges: bool = True
    status: int = 0
    """Answered instead of the file, where it is not 0."""
    break_after: list[int] = dataclasses.field(default_factory=list)
    """For each answer to come: bytes after which the connection is cut."""
    asked: list[str] = dataclasses.field(default_factory=list)
    """The Range of each request; "" without one."""


class _Handler(BaseHTTPRequestHandler):
    shelf: Shelf

    def do_GET(self) -> None:
        shelf, wanted = self.shelf, self.headers.get("Range", "")
        shelf.asked.append(wanted)
        if shelf.status:
            self.send_error(shelf.status)
            return
        first = 0
        if wanted and shelf.ranges and self.headers.get("If-Range") == shelf.etag:
            first = int(wanted.removeprefix("bytes=").removesuffix("-"))
        body = shelf.content[first:]
        self.send_response(206 if first else 200)
        self.send_header("ETag", shelf.etag)
        self.send_header("Content-Length", str(len(body)))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(shelf.content) - 1}/{len(shelf.content)}")
        self.end_headers()
        cut = shelf.break_after.pop(0) if shelf.break_after else len(body)
        self.wfile.write(body[:cut])
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Silent."""


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    found = Shelf(f"http://127.0.0.1:{server.server_address[1]}/model.onnx")
    handler.shelf = found  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
