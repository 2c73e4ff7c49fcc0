"""One request for every answer that `/openapi.json` describes."""

import dataclasses
from collections.abc import AsyncIterator, Callable
from typing import Any

Body = bytes | Callable[[], AsyncIterator[bytes]] | None

LIVE = "session-of-a-camera"
TOLD = "session-with-events"
ELSEWHERE = "session-of-a-silent-replica"
NOBODY = "n" * 20

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
SSE = {"Accept": "text/event-stream"}


@dataclasses.dataclass(frozen=True)
class Exercise:
    """A request, and which of the described answers it must get."""

    method: str
    path: str
    """As the document has it."""
    url: str
    status: int
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: Body = None
    away: bool = False
    """Asked of a gateway whose Redis does not answer."""


def plain() -> list[Exercise]:
    """What needs no state."""
    get = [
        ("/", "/", 200),
        ("/{file}", "/signstream.js", 200),
        ("/{file}", "/nothing.js", 404),
        ("/models", "/models", 200),
        ("/models/{name}", "/models/asl-words", 200),
        ("/models/{name}", "/models/nobody", 404),
        ("/models/{name}/examples/{label}", "/models/asl-words/examples/hello", 200),
        ("/models/{name}/examples/{label}", "/models/asl-words/examples/xylophone", 404),
        ("/healthz", "/healthz", 200),
        ("/readyz", "/readyz", 200),
        ("/metrics", "/metrics", 200),
        ("/openapi.json", "/openapi.json", 200),
        ("/asyncapi.json", "/asyncapi.json", 200),
    ]
    return [Exercise("get", path, url, status) for path, url, status in get]


def of_examples() -> list[Exercise]:
    """The video of a sign; `hello` has one."""
    path, hello = "/models/{name}/examples/{label}/video", "/models/asl-words/examples/hello/video"
    ranges = [("bytes=0-9", 206), ("bytes=0-9,20-29", 206), ("bytes=9-", 206), ("bytes=x", 400)]
    ranges.append(("bytes=99999999-", 416))
    return [
        Exercise("get", path, hello, 200),
        Exercise("get", path, hello.replace("hello", "water"), 404),
        *(Exercise("get", path, hello, status, {"Range": asked}) for asked, status in ranges),
    ]


def of_publishers() -> list[Exercise]:
    """Landmarks are published over a socket; this is what a GET says instead. `seeing` wants pictures."""
    path, url = "/sessions/{id}/landmarks", f"/sessions/{NOBODY}/landmarks"
    return [
        Exercise("get", path, url, 426),
        Exercise("get", path, f"{url}?clock=0", 400),
        Exercise("get", path, f"{url}?models=nobody", 404),
        Exercise("get", path, f"/sessions/{TOLD}/landmarks", 409),
        Exercise("get", path, f"{url}?models=seeing", 422),
        Exercise("get", path, url, 503, away=True),
    ]


def of_sessions() -> list[Exercise]:
    """Sessions and what was said in them; `TOLD` has three events."""
    session, transcript, events = ("/sessions/{id}" + rest for rest in ("", "/transcript", "/events"))
    told, nobody = f"/sessions/{TOLD}", f"/sessions/{NOBODY}"
    return [
        Exercise("get", session, told, 200),
        Exercise("get", session, nobody, 404),
        Exercise("get", session, told, 503, away=True),
        Exercise("get", transcript, f"{told}/transcript", 200),
        Exercise("get", transcript, f"{told}/transcript?wait=1", 200, {"Accept": "text/plain"}),
        Exercise("get", transcript, f"{told}/transcript", 200, {"Accept": "text/vtt"}),
        Exercise("get", transcript, f"{told}/transcript", 406, {"Accept": "image/png"}),
        Exercise("get", transcript, f"{told}/transcript?wait=long", 400),
        Exercise("get", transcript, f"{nobody}/transcript", 404),
        Exercise("get", transcript, f"{told}/transcript", 503, away=True),
        Exercise("get", events, f"{told}/events", 200, SSE),
        Exercise("get", events, f"{told}/events?after=x", 400, SSE),
        Exercise("get", events, f"{nobody}/events", 404, SSE),
        Exercise("get", events, f"{told}/events", 406, {"Accept": "text/html"}),
        Exercise("get", events, f"{told}/events?epoch=old", 409, SSE),
        Exercise("get", events, f"{told}/events", 503, SSE, away=True),
        *of_sentences(told, nobody),
        Exercise("get", "/readyz", "/readyz", 503, away=True),
    ]


def of_sentences(told: str, nobody: str) -> list[Exercise]:
    """Glosses as lines; no service is named."""
    path = "/sessions/{id}/sentence"
    return [
        Exercise("post", path, f"{told}/sentence", 200, body=b'{"rewrite": true}'),
        Exercise("post", path, f"{told}/sentence", 400, body=b"[]"),
        Exercise("post", path, f"{nobody}/sentence", 404),
        Exercise("post", path, f"{told}/sentence", 413, body=bytes(5000)),
        Exercise("post", path, f"{told}/sentence", 503, away=True),
        Exercise("get", "/rewriting", "/rewriting", 200),
    ]


def of_files(video: bytes, most: int, stalled: Callable[[], AsyncIterator[bytes]]) -> list[Exercise]:
    """Uploads to a server that takes at most `most` bytes."""

    def upload(status: int, body: Body, query: str = "", **more: Any) -> Exercise:
        return Exercise("post", "/videos", "/videos" + query, status, body=body, **more)

    form = {"Content-Type": "multipart/form-data; boundary=b"}
    return [
        upload(202, video),
        upload(400, b""),
        upload(400, b"no form", headers=form),
        upload(400, video, "?session=short"),
        upload(404, video, "?models=nobody"),
        upload(408, stalled),
        upload(409, video, f"?session={LIVE}"),
        upload(413, bytes(most + 1)),
        upload(415, b"this is a text\n" * 99),
        upload(422, video[: len(video) // 2]),
        upload(503, video, away=True),
    ]


def of_cameras(offer: str) -> list[Exercise]:
    """WHIP; `LIVE` is publishing."""
    whip, one, live, nobody = "/whip", "/whip/{id}", f"/whip/{LIVE}", f"/whip/{NOBODY}"
    match = {**FRAGMENT, "If-Match": "{etag}"}
    sdp, long = offer.encode(), b"v=0\r\n" + b"a=x\r\n" * 20_000

    def publish(status: int, body: bytes, query: str = "", **more: Any) -> Exercise:
        return Exercise("post", whip, whip + query, status, **{"headers": SDP, "body": body, **more})

    def patch(status: int, body: bytes, headers: dict[str, str], url: str = live) -> Exercise:
        return Exercise("patch", one, url, status, headers, body)

    return [
        publish(201, sdp),
        publish(400, b"hello"),
        publish(404, sdp, "?models=nobody"),
        publish(406, sdp.replace(b"VP8", b"VP9").replace(b"H264", b"VP9")),
        publish(409, sdp, f"?session={LIVE}"),
        publish(413, long),
        publish(415, sdp, headers={"Content-Type": "text/plain"}),
        publish(503, sdp, away=True),
        publish(401, sdp, f"?session={LIVE}", headers={**SDP, "Authorization": "Basic x"}),
        Exercise("options", whip, whip, 204),
        *(Exercise(method, whip, whip, 405) for method in ("get", "put", "patch", "delete")),
        patch(204, b"a=mid:0\r\n", match),
        patch(400, b"", match),
        patch(404, b"a=mid:0\r\n", match, nobody),
        patch(412, b"a=mid:0\r\n", {**FRAGMENT, "If-Match": '"other"'}),
        patch(413, long, match),
        patch(415, b"a=mid:0\r\n", {**match, "Content-Type": "text/plain"}),
        patch(422, b"a=ice-ufrag:other\r\n", match),
        patch(428, b"a=mid:0\r\n", FRAGMENT),
        patch(504, b"a=mid:0\r\n", match, f"/whip/{ELSEWHERE}"),
        Exercise("patch", one, live, 503, match, b"a=mid:0\r\n", away=True),
        Exercise("delete", one, live, 503, away=True),
        Exercise("delete", one, f"/whip/{ELSEWHERE}", 504),
        Exercise("options", one, live, 204),
        *(Exercise(method, one, live, 405) for method in ("get", "post", "put")),
        Exercise("delete", one, nobody, 404),
        Exercise("delete", one, live, 200),
    ]
