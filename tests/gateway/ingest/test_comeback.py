"""A camera comes back to its session, to the same gateway or another, with the secret of its first answer."""

import asyncio
import contextlib
import hashlib
import time

import httpx2 as httpx
import pytest

from shared import keys, sessions
from shared.framelog import End, Frame
from tests.gateway.ingest.conftest import SESSION, Publish, Server, until


async def frames_after(server: Server, pts: int, count: int) -> list[Frame]:
    frames: list[Frame] = []
    async with asyncio.timeout(15), contextlib.aclosing(server.frames()) as entries:
        async for entry in entries:
            assert not isinstance(entry, End), entry
            if entry.pts > pts:
                frames.append(entry)
            if len(frames) == count:
                return frames
    raise AssertionError("no frames")


async def newest(server: Server) -> Frame:
    return (await frames_after(server, -1, 12))[-1]


async def test_to_another_replica_when_its_own_is_gone(
    server: Server, replica: Server, publish: Publish
) -> None:
    first = await publish()
    secret = first.response.headers["signstream-secret"]
    await newest(server)
    camera = server.cameras.find(SESSION)
    assert camera is not None
    await camera.leave("killed")  # what a killed gateway leaves: no end, and no writer
    last = await newest(server)
    away = time.time()
    await asyncio.sleep(1.0)
    second = await publish(session=SESSION, models="", secret=secret, server=replica)
    assert second.response.status_code == 201
    assert second.response.headers["etag"] != first.response.headers["etag"]
    assert second.response.headers["signstream-secret"] == secret
    back = await frames_after(replica, last.pts + 45_000, 10)
    assert back[0].keyframe
    passed = back[0].captured - last.captured
    assert passed > time.time() - away - 5
    assert (back[0].pts - last.pts) / 90_000 == pytest.approx(passed, abs=0.05)
    assert [f.pts for f in back] == sorted({f.pts for f in back})
    assert (replica.cameras.find(SESSION), server.cameras.find(SESSION)) == (
        next(iter(replica.cameras)),
        None,
    )


async def test_the_one_before_is_fenced_off_and_writes_no_end(
    server: Server, replica: Server, publish: Publish
) -> None:
    first = await publish()
    await newest(server)
    secret = first.response.headers["signstream-secret"]
    second = await publish(models="", secret=secret, server=replica)
    assert second.response.status_code == 201
    await server.camera_is_over()
    await newest(replica)
    assert (await server.session()).state not in sessions.OVER
    assert await server.store.hget(keys.session(SESSION), sessions.END_TOLD) is None
    assert replica.cameras.find(SESSION) is not None


async def test_to_the_same_gateway(server: Server, publish: Publish) -> None:
    first = await publish("H264")
    await newest(server)
    before = server.cameras.find(SESSION)
    assert before is not None
    second = await publish("H264", models="", secret=first.response.headers["signstream-secret"])
    assert second.response.status_code == 201
    await asyncio.wait_for(before.wait_over(), 5)
    now = server.cameras.find(SESSION)
    assert now is not None
    assert now is not before
    await until(lambda: now.written > 10)
    assert await server.store.hget(keys.session(SESSION), sessions.END_TOLD) is None
    assert (await server.session()).codec == "h264"


async def test_only_with_its_secret_and_only_while_it_lives(
    server: Server, publish: Publish, client: httpx.AsyncClient
) -> None:
    first = await publish()
    secret = first.response.headers["signstream-secret"]
    stored = await server.field("camera_secret")
    assert stored == hashlib.sha256(secret.encode()).hexdigest()
    for wrong in (None, "guess", secret[:-1]):
        refused = await publish(secret=wrong)
        assert refused.response.status_code == 409, wrong
    other = await publish(session="a-session-that-never-was", secret=secret)
    assert other.response.status_code == 409
    models = await publish(models="asl-sentences", secret=secret)
    assert models.response.status_code == 409
    assert "asl-words" in models.response.json()["error"]
    codec = await publish("H264", models="", secret=secret)
    assert codec.response.status_code == 406
    assert "VP8" in codec.response.json()["error"]
    assert server.cameras.find(SESSION) is not None, "none of that ended the camera"
    await client.delete(f"/whip/{SESSION}")
    late = await publish(models="", secret=secret)
    assert late.response.status_code == 409
    assert "over" in late.response.json()["error"]


@pytest.mark.parametrize(
    ("path", "authorization", "status"),
    [
        (f"/whip?session={SESSION}", "Basic abc", 401),
        (f"/whip?session={SESSION}", "Bearer abc", 409),
        (f"/whip?session={SESSION}", "Bearer", 406),  # as without any: on to the offer, which has no picture
        ("/whip", "Bearer abc", 406),
    ],
)
async def test_a_secret_is_only_asked_for_with_a_session(
    client: httpx.AsyncClient, path: str, authorization: str, status: int
) -> None:
    headers = {"content-type": "application/sdp", "authorization": authorization}
    response = await client.post(path, content="v=0\r\n", headers=headers)
    assert response.status_code == status
    assert response.headers["access-control-allow-origin"] == "*"


async def test_cameras_that_are_let_go_end_nothing(server: Server, publish: Publish) -> None:
    await publish()
    await newest(server)
    await server.cameras.leave()
    assert len(server.cameras) == 0
    assert await server.store.hget(keys.session(SESSION), sessions.END_TOLD) is None
