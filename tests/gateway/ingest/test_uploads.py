"""`POST /videos`: which files are taken, which are refused and in what words."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import av
import cv2
import httpx2 as httpx
import pytest

from gateway.ingest import spool as spooling
from shared import keys, sessions
from shared.settings import Settings
from tests.gateway.ingest.conftest import SESSION, Publish, Server, until
from tests.gateway.ingest.files import nothing_is_left, open_spools, received, send
from tests.gateway.ingest.pictures import write_video
from workers.keypoints.decoder import Decoder

pytestmark = pytest.mark.usefixtures("spool_folder")


async def test_a_rotated_file_says_how_to_turn_it(
    server: Server, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "phone.mp4", rotation=-90)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).rotation == -90
    assert (await send(client, path.read_bytes())).status_code == 202
    assert (await server.session()).rotation == 90


@pytest.mark.parametrize("rotation", [-90, 180, 90])
async def test_a_rotated_file_is_shown_upright(
    server: Server, client: httpx.AsyncClient, tmp_path: Path, rotation: int
) -> None:
    path = write_video(tmp_path / "phone.mp4", rotation=rotation)
    assert (await send(client, path.read_bytes())).status_code == 202
    frames, _ = await received(server)
    decoder = Decoder(await server.session())
    ours = [picture for frame in frames for picture in decoder.decode(frame)] + decoder.flush()
    # OpenCV turns pictures by its own reading of the file.
    film = cv2.VideoCapture(str(path))
    film.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    for picture in ours:
        _, upright = film.read()
        assert picture.rgb().shape == upright.shape
        assert abs(picture.rgb()[..., ::-1].astype(int) - upright.astype(int)).mean() < 3
    assert len(ours) == 30
    film.release()


async def test_a_form_with_the_field_file_works_too(
    server: Server, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "clip.mp4")
    with path.open("rb") as file:
        response = await client.post(
            "/videos", params={"session": SESSION}, data={"note": "x"}, files={"file": ("clip.mp4", file)}
        )
    assert response.status_code == 202, response.text
    frames, _ = await received(server)
    assert len(frames) == 30


@pytest.mark.parametrize(
    ("query", "mirrored"), [("", False), ("&mirrored=true", True), ("&mirrored=false", False)]
)
async def test_a_file_recorded_in_a_mirror_says_so(
    server: Server, client: httpx.AsyncClient, tmp_path: Path, query: str, mirrored: bool
) -> None:
    body = write_video(tmp_path / "clip.mp4").read_bytes()
    assert (await client.post(f"/videos?session={SESSION}{query}", content=body)).status_code == 202
    session = await sessions.load(server.store, SESSION)
    assert session is not None
    assert session.mirrored == mirrored


async def test_mirrored_is_true_or_false(client: httpx.AsyncClient) -> None:
    for path in ("/videos", "/whip"):
        response = await client.post(
            f"{path}?mirrored=yes", content=b"x", headers={"Content-Type": "application/sdp"}
        )
        assert response.status_code == 400
        assert "mirrored must be true or false; got 'yes'" in response.json()["error"]


async def test_without_an_id_a_new_one_is_made(client: httpx.AsyncClient, tmp_path: Path) -> None:
    body = write_video(tmp_path / "clip.mp4").read_bytes()
    response = await client.post("/videos?models=asl-sentences,asl-words", content=body)
    assert response.status_code == 202
    assert keys.is_session_id(response.json()["session"])
    assert response.json()["models"] == ["asl-sentences", "asl-words"]


async def test_files_that_are_no_videos_are_refused_with_a_sentence(
    server: Server, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    whole = write_video(tmp_path / "clip.mp4").read_bytes()
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"
    wave = tmp_path / "tone.avi"
    with av.open(str(wave), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=8000, layout="mono")
        samples = av.AudioFrame(format="s16", layout="mono", samples=800)
        samples.rate = 8000
        samples.planes[0].update(bytes(1600))
        output.mux(stream.encode(samples))
    for body, status, said in [
        (b"", 400, "empty"),
        (b"this is a text named clip.mp4\n" * 100, 415, "text"),
        (playlist.encode(), 415, "text"),
        (b"ffconcat version 1.0\nfile /etc/hostname\n", 415, "text"),
        (os.urandom(5000), 415, "MP4, MOV, MKV"),
        (whole[: len(whole) // 2], 422, "moov"),
        (wave.read_bytes(), 422, "no video; it holds audio"),
    ]:
        response = await send(client, body)
        assert response.status_code == status, (said, response.text)
        assert said in response.json()["error"]
    await nothing_is_left(server)


async def test_forms_that_are_malformed_are_refused(server: Server, client: httpx.AsyncClient) -> None:
    kind = {"content-type": "multipart/form-data; boundary=b"}
    for body, status in [
        (b"not a form", 400),
        (b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--b--\r\n', 400),
        (b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx', 400),
        (b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n\r\n--b--\r\n', 400),
    ]:
        response = await client.post("/videos", content=body, headers=kind)
        assert response.status_code == status, response.text
    response = await client.post("/videos", content=b"x", headers={"content-type": "multipart/form-data"})
    assert response.status_code == 400
    await nothing_is_left(server)


async def test_a_stalled_client_is_told(
    server: Server, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "IDLE_SECONDS", 0.3)

    async def body() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(1)

    response = await client.post("/videos", content=body())
    assert response.status_code == 408
    await nothing_is_left(server)


async def test_a_client_that_leaves_in_mid_body_leaves_nothing(server: Server, tmp_path: Path) -> None:
    body = write_video(tmp_path / "clip.mp4").read_bytes()
    host, port = server.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /videos?session={SESSION} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body[: len(body) // 2])
    await writer.drain()
    await until(lambda: open_spools() != [])
    writer.close()
    await writer.wait_closed()
    await until(lambda: open_spools() == [])
    await nothing_is_left(server)


async def test_a_gateway_that_stops_takes_no_file(
    server: Server, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    body = write_video(tmp_path / "clip.mp4").read_bytes()
    assert (await send(client, body)).status_code == 202
    server.app.state.gateway.draining.set()
    for session in (SESSION, "session-of-another-file"):
        response = await send(client, body, session)
        assert (response.status_code, response.headers["retry-after"]) == (503, "2")
        assert "stopping" in response.json()["error"]


class TestLimits:
    @pytest.fixture
    def settings(self, redis_url: str) -> Settings:
        return Settings(redis_url=redis_url, upload_bytes=20_000, upload_seconds=0.5)

    async def test_a_body_above_the_limit_is_refused(self, server: Server, client: httpx.AsyncClient) -> None:
        response = await send(client, bytes(20_001))
        assert response.status_code == 413
        assert "20000" in response.json()["error"]

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(30):
                yield bytes(1000)

        assert (await client.post("/videos", content=chunks())).status_code == 413
        form = {"file": ("big.mp4", bytes(20_001))}
        assert (await client.post("/videos", files=form)).status_code == 413
        await nothing_is_left(server)

    async def test_a_video_above_the_limit_of_time_is_refused(
        self, server: Server, client: httpx.AsyncClient, tmp_path: Path
    ) -> None:
        path = write_video(tmp_path / "long.mp4", frames=30, bit_rate=50_000)
        response = await send(client, path.read_bytes())
        assert response.status_code == 413
        assert "0.5 s" in response.json()["error"]
        await nothing_is_left(server)

    async def test_a_video_that_hides_its_length_ends_at_the_limit(
        self, server: Server, client: httpx.AsyncClient, tmp_path: Path
    ) -> None:
        path = write_video(tmp_path / "long.h264", frames=30, bit_rate=50_000)
        assert (await send(client, path.read_bytes())).status_code == 202
        _, end = await received(server)
        assert end.reason == "longer than 0.5 s"


async def test_an_id_is_not_shared_by_two_files_or_a_camera(
    server: Server, client: httpx.AsyncClient, tmp_path: Path, publish: Publish
) -> None:
    assert (await send(client, write_video(tmp_path / "a.mp4").read_bytes())).status_code == 202
    other = write_video(tmp_path / "b.mp4", width=160, height=120).read_bytes()
    response = await send(client, other)
    assert response.status_code == 409
    assert "another file" in response.json()["error"]
    await publish(session="session-of-a-camera")
    assert (await send(client, other, "session-of-a-camera")).status_code == 409
    await until(lambda: open_spools() == [])


async def test_a_session_that_is_over_is_left_alone(
    server: Server, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    body = write_video(tmp_path / "clip.mp4").read_bytes()
    await send(client, body)
    await received(server)
    await server.store.hset(keys.session(SESSION), "state", sessions.ENDED)
    await server.store.delete(keys.frames(SESSION))
    response = await send(client, body)
    assert response.status_code == 202
    assert response.json()["state"] == "ended"
    await until(lambda: len(server.uploads) == 0)
    assert not await server.store.exists(keys.frames(SESSION))
