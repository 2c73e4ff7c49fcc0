"""The pages: files of `static/` with the headers that keep a page to itself."""

from pathlib import Path

from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",  # a file is looked at before it is sent
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Content-Security-Policy (W3C CSP 3) of every page: nothing inline, no host but this one."""

HOLISTIC = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-eval'",  # MediaPipe's glue makes functions of text (Emscripten's embind)
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
        "sandbox allow-scripts",  # also where somebody opens it by itself: an origin of its own
    )
)
"""Of the frame in which MediaPipe looks for landmarks: it loads its own files from here, and nothing else."""

OWN_POLICIES = {"holistic": HOLISTIC}
"""Of folders below `static/` whose pages need another."""

OWN_HEADERS = {
    # The sandboxed frame's origin is nobody's, and so another than ours: it reads its networks as a stranger.
    "holistic": {"Access-Control-Allow-Origin": "*"},
}
"""Beside those that every page has."""

HEADERS = {
    "Cache-Control": "no-cache",  # asked for each time, answered 304 by its ETag: no page of two versions
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), display-capture=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Pages(StaticFiles):
    """`static/`, a folder's `index.html` for the folder."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER, html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        folder = "".join(Path(path).parts[:1])
        response.headers.update(OWN_HEADERS.get(folder, {}))
        response.headers["Content-Security-Policy"] = OWN_POLICIES.get(folder, POLICY)
        return response


def mount() -> Mount:
    """The route of all pages; it answers whatever no route before it did."""
    return Mount("/", Pages(), name="static")
