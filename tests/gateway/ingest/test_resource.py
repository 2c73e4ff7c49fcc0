"""PATCH and DELETE of a camera's resource, at the replica that has it and at one that has not."""

import asyncio
import re
import time

import httpx2 as httpx
import pytest

from gateway.ingest import resource
from shared import keys
from tests.gateway.ingest.conftest import SESSION, Publish, Server

FRAGMENT = {"content-type": "application/trickle-ice-sdpfrag"}
RESOURCE = f"/whip/{SESSION}"


@pytest.fixture
async def other(replica: Server) -> httpx.AsyncClient:
    """A client of the replica that has no camera."""
    return httpx.AsyncClient(base_url=replica.url, timeout=20)


async def test_a_delete_at_the_wrong_replica_ends_the_session(
    server: Server, other: httpx.AsyncClient, publish: Publish
) -> None:
    await publish()
    async with other:
        assert (await other.delete(RESOURCE)).status_code == 200
        assert await server.end_of() == "camera stopped"
        assert len(server.cameras) == 0
        assert (await other.delete(RESOURCE)).status_code == 404


async def test_a_patch_at_the_wrong_replica_gets_the_right_ones_answer(
    server: Server, other: httpx.AsyncClient, publish: Publish
) -> None:
    sender = await publish()
    etag = sender.response.headers["etag"]
    ufrag = re.search(r"a=ice-ufrag:(.*)\r\n", sender.peer.localDescription.sdp)
    assert ufrag is not None

    async def patch(content: str, **headers: str) -> tuple[int, str]:
        response = await other.patch(RESOURCE, content=content, headers={**FRAGMENT, **headers})
        return response.status_code, response.headers.get("etag", "")

    async with other:
        trickled = f"{ufrag[0]}a=mid:0\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"
        assert await patch(trickled, **{"if-match": etag}) == (204, etag)
        assert await patch(trickled, **{"if-match": f'"other", {etag}'}) == (204, etag)
        assert await patch(trickled) == (428, "")
        assert await patch(trickled, **{"if-match": '"other"'}) == (412, "")
        assert await patch("a=ice-ufrag:new1\r\n", **{"if-match": etag}) == (422, "")
        assert await patch(trickled, **{"if-match": "*"}) == (422, "")
        assert await patch("\r\n", **{"if-match": etag}) == (400, "")
        assert await patch(trickled, **{"if-match": etag, "content-type": "text/plain"}) == (415, "")
        assert await patch("a" * 70_000, **{"if-match": etag}) == (413, "")
    assert server.cameras.find(SESSION) is not None


async def test_when_nobody_answers_it_is_told_within_seconds(
    server: Server, other: httpx.AsyncClient, publish: Publish
) -> None:
    await publish()
    camera = server.cameras.find(SESSION)
    assert camera is not None
    await camera.leave("killed")
    began = time.monotonic()
    async with other:
        response = await other.delete(RESOURCE)
    assert response.status_code == 504
    assert resource.REPLY_SECONDS <= time.monotonic() - began < resource.REPLY_SECONDS + 1


async def test_what_nobody_has_is_not_found(client: httpx.AsyncClient) -> None:
    for name in ("a-session-that-never-was", "short", "x" * 500):
        assert (await client.delete(f"/whip/{name}")).status_code == 404


@pytest.mark.parametrize(
    "nonsense",
    [
        '{"type": "forwarded"}',
        '{"type": "forwarded", "request": 7, "method": "DELETE", "body": "", "content_type": ""}',
        '{"type": "forwarded", "request": "x", "method": "POST", "body": "", "content_type": ""}',
        '{"type": "forwarded", "request": "x", "method": "DELETE", "body": "%", "content_type": ""}',
        '{"type": "forwarded", "request": "", "method": "PATCH", "body": "", "content_type": "", "if_match": 1}',  # noqa: E501
        '{"type": "reply", "request": "x", "status": "200"}',
        '{"type": 7}',
        "[" * 5000,
    ],
)
async def test_nonsense_on_the_channel_does_nothing(server: Server, publish: Publish, nonsense: str) -> None:
    await publish()
    await server.store.publish(keys.control(SESSION), nonsense)
    await asyncio.sleep(0.05)
    assert server.cameras.find(SESSION) is not None
