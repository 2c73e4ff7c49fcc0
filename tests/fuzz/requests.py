"""HTTP requests as bytes, most of them wrong somewhere."""

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.fuzz.strategies import FORM, FRAGMENT, JUNK, OFFER, bytes_mutated, lines_mutated

ENDED = "session-that-is-over"

AFTER = 2
"""It has one event, the next one; those before are no longer kept."""

PATHS = [
    b"/",
    b"/signstream.js",
    b"/whip",
    b"/videos",
    b"/models",
    b"/models/asl-words",
    b"/models/asl-words/examples/hello",
    b"/healthz",
    b"/readyz",
    b"/metrics",
    b"/openapi.json",
    b"/asyncapi.json",
    *(f"/{where}/{name}".encode() for where in ("whip", "sessions") for name in (ENDED, "n" * 20, "x")),
    *(
        f"/sessions/{name}/{part}".encode()
        for name in (ENDED, "n" * 20)
        for part in ("events", "transcript", "overlay", "other")
    ),
]
METHODS = [b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"BREW"]
PARAMETERS = [b"models", b"session", b"after", b"epoch", b"wait", b"x"]
VALUES = [
    b"asl-words",
    b"nobody",
    b"0",
    b"1",
    b"-1",
    b"1e3",
    b"nan",
    b"inf",
    b"%ff",
    b"%00",
    b"a" * 70,
    b"0.01",
]
HEADERS = [
    (
        b"Accept",
        [b"text/event-stream", b"text/vtt", b"text/plain", b"application/json", b"image/png", b"*/*"],
    ),
    (b"Content-Type", [b"application/sdp", b"application/trickle-ice-sdpfrag", b"text/plain"]),
    (
        b"Content-Type",
        [b"multipart/form-data; boundary=b", b"multipart/form-data", b"multipart/form-data;;="],
    ),
    (b"Last-Event-ID", [b"1", b"x"]),
    (b"If-Match", [b"*", b'"x"']),
    (b"Upgrade", [b"websocket", b"h2c"]),
    (b"Connection", [b"Upgrade", b"close", b"keep-alive"]),
    (b"Sec-WebSocket-Key", [b"AAAAAAAAAAAAAAAAAAAAAA==", b"x"]),
    (b"Sec-WebSocket-Version", [b"13", b"1"]),
    (b"Sec-WebSocket-Protocol", [b"signstream.v1+json", b"mqtt", b",", b"signstream.v1+msgpack, x"]),
    (b"Transfer-Encoding", [b"chunked", b"gzip"]),
    (b"Expect", [b"100-continue"]),
    (b"Authorization", [b"Bearer x", b"Basic"]),
    (b"Range", [b"bytes=0-1", b"bytes=9-1"]),
    (b"If-None-Match", [b"*"]),
    (b"Origin", [b"null", b"https://example.org"]),
]

BODIES = st.one_of(
    st.just(b""),
    st.just(OFFER),
    lines_mutated(OFFER),
    lines_mutated(FRAGMENT),
    bytes_mutated([FORM]),
    st.binary(max_size=200),
)


def _query(pairs: list[tuple[bytes, bytes]]) -> bytes:
    return b"?" + b"&".join(name + b"=" + value for name, value in pairs) if pairs else b""


def _printable(data: bytes) -> bytes:
    """What can stand in a request's head without ending it."""
    return bytes(byte for byte in data if byte > 32 and byte != 127)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A whole request."""
    method, path = draw(st.sampled_from(METHODS)), draw(st.sampled_from(PATHS))
    if draw(st.integers(0, 3)) == 0:
        path = b"/" + _printable(draw(JUNK)) + path
    parameter = st.tuples(st.sampled_from(PARAMETERS), st.sampled_from(VALUES) | JUNK.map(_printable))
    query = _query(draw(st.lists(parameter, max_size=3)))
    body = draw(BODIES)
    head = [method + b" " + path + query + b" HTTP/1.1", b"Host: x"]
    for name, values in draw(st.lists(st.sampled_from(HEADERS), max_size=4)):
        head.append(name + b": " + draw(st.sampled_from(values) | JUNK.map(_printable)))
    if draw(st.integers(0, 9)):
        head.append(b"Content-Length: %d" % len(body))
    else:
        head.append(b"Content-Length: " + _printable(draw(JUNK)))
    if draw(st.integers(0, 19)) == 0:
        head.insert(draw(st.integers(0, len(head))), draw(JUNK))
    whole: bytes = b"\r\n".join(head) + b"\r\n\r\n" + body
    return whole


@st.composite
def whip(draw: st.DrawFn) -> bytes:
    """An offer sent as it should be, only that it is none."""
    body = draw(lines_mutated(OFFER))
    return _post(b"/whip", b"application/sdp", body)


@st.composite
def uploads(draw: st.DrawFn, files: st.SearchStrategy[bytes]) -> bytes:
    """A file sent as it should be, by itself or in a form."""
    body = draw(files)
    if draw(st.booleans()):
        return _post(b"/videos", b"application/octet-stream", body)
    head = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
    return _post(b"/videos", b"multipart/form-data; boundary=b", head + body + b"\r\n--b--\r\n")


def every_method() -> list[bytes]:
    """Each on what a camera publishes to, with nothing right but that."""
    paths = (b"/whip", b"/whip/x", b"/whip/" + ENDED.encode())
    return [
        request(method, path, [(b"Content-Type", b"text/plain")], b"") for method in METHODS for path in paths
    ]


def every_replay() -> list[bytes]:
    """Server-sent events from where they are kept, from where they are not, and without being asked for."""
    accept = (b"Accept", b"text/event-stream")
    path = b"/sessions/" + ENDED.encode() + b"/events"
    after = [b"?after=%d" % AFTER, b"", b"?after=99", b"?after=x", b"?epoch=old"]
    return [
        *(request(b"GET", path + query, [accept], b"") for query in after),
        request(b"GET", path, [], b""),
        request(b"GET", b"/sessions/" + b"n" * 20 + b"/events", [accept], b""),
    ]


CLOSE = b"Connection: close"


def request(method: bytes, path: bytes, head: Sequence[tuple[bytes, bytes]], body: bytes) -> bytes:
    """A request as it should be, whatever it says; its answer ends with the connection."""
    lines = [b"%s %s HTTP/1.1" % (method, path), b"Host: x", CLOSE, *(b"%s: %s" % field for field in head)]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


def _post(path: bytes, kind: bytes, body: bytes) -> bytes:
    return request(b"POST", path, [(b"Content-Type", kind)], body)
