"""A camera publishes over WHIP and its frames arrive in Redis as they were encoded."""

import asyncio
import contextlib
import json
import re
import threading
import time

import av
import httpx2 as httpx
import pytest
from aiortc import RTCSessionDescription

from gateway.ingest import ice
from gateway.ingest.offers import LARGEST_BYTES
from shared import keys, sessions
from shared.framelog import End, Frame
from tests.gateway.ingest.conftest import SESSION, Publish, Server, offer_of, whole_offer
from tests.gateway.ingest.pictures import HEIGHT, WIDTH, Camera

SDP = {"content-type": "application/sdp"}


async def first_frames(server: Server, count: int, session: str = SESSION) -> list[Frame]:
    frames: list[Frame] = []
    async with asyncio.timeout(15), contextlib.aclosing(server.frames(session)) as entries:
        async for entry in entries:
            assert not isinstance(entry, End), entry
            frames.append(entry)
            if len(frames) == count:
                break
    return frames


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_frames_arrive_whole_and_decodable(server: Server, publish: Publish, codec: str) -> None:
    threads = {thread.name for thread in threading.enumerate()}
    sender = await publish(codec)
    assert sender.response.status_code == 201
    assert sender.response.headers["location"] == f"/whip/{SESSION}"
    assert sender.response.headers["content-type"].startswith("application/sdp")
    frames = await first_frames(server, 40)
    assert frames[0].keyframe
    assert frames[0].pts == 0
    decoder = av.CodecContext.create(codec.lower(), "r")
    sizes = {(p.width, p.height) for f in frames for p in decoder.decode(av.Packet(f.data))}
    assert sizes == {(WIDTH, HEIGHT)}
    assert 0.8 < frames[-1].pts / 90_000 < 3.0
    assert all(0 <= time.time() - f.captured < 20 for f in frames)
    session = await server.session()
    assert (session.mode, session.codec, session.models) == ("live", codec.lower(), ("asl-words",))
    assert not {t.name for t in threading.enumerate()} - threads & {"video-decoder"}


async def test_the_answer_asks_for_the_bit_rate_and_offers_only_our_addresses(publish: Publish) -> None:
    answer = (await publish()).response.text
    assert "x-google-start-bitrate=1500" in answer
    assert "goog-remb" in answer
    addresses = {line.split()[4] for line in answer.splitlines() if line.startswith("a=candidate:")}
    assert addresses == {"127.0.0.1"}
    assert "H264" not in answer


async def test_a_keyframe_comes_every_few_seconds_and_on_demand(server: Server, publish: Publish) -> None:
    await publish()
    await first_frames(server, 10)
    asked = time.time()
    await server.store.publish(keys.control(SESSION), json.dumps({"type": "keyframe"}))
    keyframes: list[float] = []
    async with asyncio.timeout(10), contextlib.aclosing(server.frames()) as entries:
        async for entry in entries:
            assert isinstance(entry, Frame)
            if entry.keyframe and entry.captured > asked:
                keyframes.append(entry.captured)
            if len(keyframes) == 2:
                break
    assert keyframes[0] - asked < 1.0
    assert keyframes[1] - keyframes[0] < 3.2


async def test_nonsense_on_the_control_channel_is_ignored(server: Server, publish: Publish) -> None:
    await publish()
    await first_frames(server, 3)
    for nonsense in (b"\xff", b"[]", b'{"type": 7}', b"null"):
        await server.store.publish(keys.control(SESSION), nonsense)
    await first_frames(server, 20)
    assert server.cameras.find(SESSION) is not None


async def test_a_camera_survives_broken_connections_to_redis(server: Server, publish: Publish) -> None:
    await publish()
    await first_frames(server, 10)
    await server.store.client_kill_filter(_type="pubsub")
    await server.store.client_kill_filter(_type="normal", skipme=True)
    broken = time.time()
    async with asyncio.timeout(10), contextlib.aclosing(server.frames()) as entries:
        async for entry in entries:
            assert isinstance(entry, Frame), entry
            if entry.captured > broken + 2:
                break
    asked = time.time()
    assert await server.store.publish(keys.control(SESSION), '{"type": "keyframe"}') == 1
    async with asyncio.timeout(5), contextlib.aclosing(server.frames()) as entries:
        async for entry in entries:
            if isinstance(entry, Frame) and entry.keyframe and entry.captured > asked:
                break
    assert time.time() - asked < 1.5


async def test_delete_ends_the_session(server: Server, publish: Publish, client: httpx.AsyncClient) -> None:
    await publish()
    await first_frames(server, 3)
    response = await client.delete(f"/whip/{SESSION}")
    assert response.status_code == 200
    assert await server.end_of() == "camera stopped"
    assert len(server.cameras) == 0
    assert (await client.delete(f"/whip/{SESSION}")).status_code == 404


async def test_a_peer_that_closes_ends_the_session(server: Server, publish: Publish) -> None:
    sender = await publish()
    await first_frames(server, 3)
    await sender.peer.close()
    assert await server.end_of() == "camera stopped"


async def test_a_dead_peer_is_found_within_five_seconds(server: Server, publish: Publish) -> None:
    sender = await publish()
    await first_frames(server, 3)
    await sender.vanish()
    died = time.monotonic()
    assert await server.end_of() == "camera lost"
    assert time.monotonic() - died < 5.0


async def test_a_camera_that_sends_nothing_for_a_while_lives(server: Server, publish: Publish) -> None:
    sender = await publish()
    await first_frames(server, 3)
    sender.track.paused.set()
    await asyncio.sleep(5.5)
    assert server.cameras.find(SESSION) is not None
    seen = await server.field(sessions.WRITER_SEEN)
    assert time.time() - float(seen) < 5


async def test_a_camera_that_never_connects_is_ended(
    server: Server, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.ingest.camera.CONNECT_SECONDS", 0.5)
    offer = await whole_offer()
    response = await client.post("/whip", params={"session": SESSION}, content=offer, headers=SDP)
    assert response.status_code == 201
    await server.camera_is_over()
    assert await server.end_of() in ("camera never connected", "camera could not connect")


async def test_a_session_that_is_over_lets_its_camera_go(server: Server, publish: Publish) -> None:
    await publish()
    await first_frames(server, 3)
    await server.store.hset(keys.session(SESSION), "state", sessions.FAILED)
    await server.camera_is_over()


async def test_a_writer_that_was_replaced_lets_its_camera_go(server: Server, publish: Publish) -> None:
    await publish()
    await first_frames(server, 3)
    await server.store.hincrby(keys.session(SESSION), "fence:writer", 1)
    await server.camera_is_over()


async def test_a_camera_that_comes_while_the_server_stops_is_sent_elsewhere(
    server: Server, publish: Publish
) -> None:
    await server.cameras.leave()
    refused = (await publish()).response
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert "stopping" in refused.json()["error"]
    assert len(server.cameras) == 0
    assert "stopping" in await server.end_of()  # Nobody was told its secret.


async def test_a_session_id_is_taken_once(server: Server, publish: Publish) -> None:
    await publish()
    second = await publish()
    assert second.response.status_code == 409
    assert SESSION in second.response.json()["error"]
    assert len(server.cameras) == 1


@pytest.mark.parametrize(
    ("spoil", "status", "said"),
    [
        (lambda sdp: "", 400, "empty"),
        (lambda sdp: "hello", 400, "v=0"),
        (lambda sdp: sdp[:200] + "\r\nthis is not SDP\r\n", 400, "line"),
        (lambda sdp: sdp.replace("m=video", "m=video x", 1), 400, "malformed"),
        (lambda sdp: re.sub(r"a=ice-ufrag:.*\r\n", "", sdp), 400, "a=ice-ufrag"),
        (lambda sdp: re.sub(r"a=fingerprint:.*\r\n", "", sdp), 400, "a=fingerprint"),
        (lambda sdp: sdp.replace("a=sendonly", "a=recvonly"), 406, "sends no video"),
        (lambda sdp: sdp.split("m=video")[0], 406, "sends no video"),
        (lambda sdp: re.sub("VP8|H264", "VP9", sdp), 406, "VP8 or H.264 is needed; the offer has VP9"),
        (lambda sdp: re.sub("VP8|H264", "AV1", sdp), 406, "AV1"),
        (lambda sdp: sdp + "a=x\r\n" * LARGEST_BYTES, 413, "larger"),
        (lambda sdp: sdp + sdp[sdp.index("m=video") :] * 10, 400, "sections"),
    ],
)
async def test_a_wrong_offer_is_refused_and_leaves_nothing(
    server: Server, client: httpx.AsyncClient, spoil: object, status: int, said: str
) -> None:
    assert callable(spoil)
    offer = spoil(await whole_offer())
    response = await client.post("/whip", params={"session": SESSION}, content=offer, headers=SDP)
    assert response.status_code == status, response.text
    assert said in response.json()["error"]
    assert len(server.cameras) == 0
    assert await server.store.keys("*") == []


async def test_bytes_that_are_no_text_are_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/whip", content=b"v=0\r\n\xff\xfe", headers=SDP)
    assert response.status_code == 400


async def test_an_unknown_model_a_bad_id_and_a_wrong_type_are_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/whip?models=nobody", content="v=0", headers=SDP)
    assert response.status_code == 404
    assert "asl-words" in response.json()["error"]
    assert (await client.post("/whip?session=short", content="v=0", headers=SDP)).status_code == 400
    response = await client.post("/whip", json={"sdp": "v=0"})
    assert response.status_code == 415
    assert "application/sdp" in response.json()["error"]


async def test_options_say_what_may_be_posted(client: httpx.AsyncClient) -> None:
    response = await client.options("/whip")
    assert response.status_code == 204
    assert response.headers["accept-post"] == "application/sdp"
    assert "POST" in response.headers["access-control-allow-methods"]


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_other_methods_name_those_that_are_allowed(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, "/whip")
    assert response.status_code == 405
    assert response.headers["allow"] == "OPTIONS, POST"
    response = await client.request(method, f"/whip/{SESSION}")
    assert response.status_code == 405
    assert "DELETE" in response.headers["allow"]


async def test_trickled_candidates_connect_a_camera(server: Server, client: httpx.AsyncClient) -> None:
    peer = ice.new_peer()
    peer.addTransceiver(Camera(), "sendonly")
    offer = await offer_of(peer)
    candidates = re.findall(r"a=candidate:.*\r\n", offer)
    bare = re.sub(r"a=(candidate:.*|end-of-candidates)\r\n", "", offer)
    response = await client.post("/whip", params={"session": SESSION}, content=bare, headers=SDP)
    assert response.status_code == 201
    await peer.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
    ufrag = re.search(r"a=ice-ufrag:(.*)\r\n", offer)
    assert ufrag is not None
    fragment = (
        f"{ufrag[0]}m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n{''.join(candidates)}a=end-of-candidates\r\n"
    )
    headers = {"content-type": "application/trickle-ice-sdpfrag", "if-match": response.headers["etag"]}
    patched = await client.patch(response.headers["location"], content=fragment, headers=headers)
    assert patched.status_code == 204
    await first_frames(server, 3)
    await peer.close()


async def test_a_patch_that_cannot_be_followed_says_why(client: httpx.AsyncClient, publish: Publish) -> None:
    answer = (await publish()).response
    kind = "application/trickle-ice-sdpfrag"
    right = {"content-type": kind, "if-match": answer.headers["etag"]}

    async def patch(content: str, headers: dict[str, str], where: str = f"/whip/{SESSION}") -> int:
        return (await client.patch(where, content=content, headers=headers)).status_code

    assert await patch("a=mid:0\r\n", {**right, "content-type": "text/plain"}) == 415
    assert await patch("a=mid:0\r\n", {"content-type": kind}) == 428
    assert await patch("a=mid:0\r\n", {**right, "if-match": '"other"'}) == 412
    assert await patch("a=mid:0\r\n", {**right, "if-match": "*"}) == 422
    assert await patch("a=ice-ufrag:new1\r\na=mid:0\r\n", right) == 422
    assert await patch("a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n", right) == 400
    assert await patch("a=mid:0\r\na=candidate:nonsense\r\n", right) == 400
    assert await patch("", right) == 400
    assert await patch("a=mid:0\r\n", right, "/whip/somebody-elses-id") == 404


@pytest.mark.parametrize(("session", "status"), [("", 201), ("a=sendonly\r\n", 201), ("a=recvonly\r\n", 406)])
async def test_an_offer_need_not_say_its_direction_in_each_section(
    server: Server, client: httpx.AsyncClient, session: str, status: int
) -> None:
    offer = (await whole_offer()).replace("a=sendonly\r\n", "")
    head, section = offer.split("m=", 1)
    response = await client.post(
        "/whip", content=f"{head}{session}m={section}", headers={"content-type": "application/sdp"}
    )
    assert response.status_code == status, response.text
    assert ("a=recvonly" in response.text) == (status == 201)


async def test_a_session_that_redis_lost_lets_its_camera_go(server: Server, publish: Publish) -> None:
    await publish()
    await first_frames(server, 3)
    camera = server.cameras.find(SESSION)
    assert camera is not None
    await server.store.delete(keys.session(SESSION))
    await server.camera_is_over()
    assert camera.reason == "storage lost"
    assert await server.store.exists(keys.session(SESSION)) == 0, "nothing brings a part of it back"
