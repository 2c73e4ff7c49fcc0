"""Debian's simple-whip-client (Meetecho; GStreamer's WebRTC): a WHIP client that is not ours.

GStreamer's ICE library sends nothing over loopback, so this runs in a network of its own.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.network import ADDRESS, Network, own_network
from tests.whole.camera import film
from tests.whole.server import Server, signstream_up

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.data]

PICTURES = (
    "filesrc location={film} ! matroskademux ! jpegdec ! videoconvert ! clocksync ! queue ! {encoder} ! queue"
    " ! application/x-rtp,media=video,encoding-name={name},payload=96"
)
ENCODERS = {
    "VP8": "vp8enc deadline=1 cpu-used=8 target-bitrate=1500000 keyframe-max-dist=60"
    " ! rtpvp8pay pt=96 ssrc=2",
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast bitrate=1500 key-int-max=60"
    " ! video/x-h264,profile=constrained-baseline ! rtph264pay pt=96 ssrc=2 config-interval=-1",
}

NO_UPNP = """
extern unsigned long g_object_get_type(void);
extern void *g_object_new(unsigned long, const char *, ...);
unsigned long gupnp_simple_igd_get_type(void) { return g_object_get_type(); }
void *gupnp_simple_igd_thread_new(void) { return g_object_new(g_object_get_type(), 0); }
void gupnp_simple_igd_add_port(void) {}
void gupnp_simple_igd_remove_port_local(void) {}
"""
"""Debian 12's client ends at once: it is linked with libsoup 2, and libnice's UPnP with libsoup 3, which
refuses to live with 2. A libnice without UPnP is all it takes."""


@pytest.fixture(scope="module")
def client() -> str:
    """Path of the client; skips where it is missing."""
    found = shutil.which("whip-client")
    if found is None:
        pytest.skip("no whip-client: apt-get install simple-whip-client")
    return found


@pytest.fixture(scope="module")
def without_upnp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a stand-in for the library of libnice that asks routers for ports."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: apt-get install gcc")
    folder = tmp_path_factory.mktemp("libraries")
    (folder / "igd.c").write_text(NO_UPNP)
    options = ["-shared", "-fPIC", "-nostdlib", "-o", str(folder / "libgupnp-igd-1.0.so.4")]
    assert os.spawnv(os.P_WAIT, compiler, [compiler, *options, str(folder / "igd.c")]) == 0
    return folder


@contextlib.asynccontextmanager
async def publishing(
    network: Network, *command: str, libraries: Path, log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The client, killed after where it still runs."""
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *network.command(*command),
            stdout=said,
            stderr=said,
            env={**os.environ, "LD_LIBRARY_PATH": str(libraries)},
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def told(network: Network, server: Server, path: str) -> dict[str, Any]:
    """What the server answers under `/sessions/`."""
    _, body = await network.get(f"{server.url}/sessions/{path}")
    answer: dict[str, Any] = json.loads(body)
    return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def network() -> AsyncIterator[Network]:
    async with own_network() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(network: Network, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """Everything, in that network."""
    settings = {"SIGNSTREAM_ICE_ADDRESSES": ADDRESS}
    async with signstream_up(tmp_path_factory.mktemp("up"), network=network, **settings) as running:
        yield running


@pytest.fixture(scope="module")
def played(data_path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The film, and how many seconds it lasts."""
    path = tmp_path_factory.mktemp("film") / "camera.mkv"
    clip = data_path / "videos" / "asl_hello_x2.mp4"
    return path, film(clip, path, 640, 360, still_seconds=2.0)


@pytest.fixture
def command(client: str, server: Server, played: tuple[Path, float]) -> Callable[[str, str], list[str]]:
    """The client's command line for a codec and a session."""

    def command(codec: str, session: str) -> list[str]:
        pictures = PICTURES.format(film=played[0], encoder=ENCODERS[codec], name=codec)
        return [client, "-u", f"{server.url}/whip?session={session}", "-V", pictures]

    return command


Command = Callable[[str, str], list[str]]


async def test_it_publishes_is_recognised_and_ends_its_session_cleanly(
    network: Network,
    server: Server,
    command: Command,
    without_upnp: Path,
    played: tuple[Path, float],
    tmp_path: Path,
) -> None:
    session, log = "session-of-gstreamer", tmp_path / "client.log"
    async with publishing(network, *command("VP8", session), libraries=without_upnp, log=log) as process:
        await asyncio.sleep(played[1])  # Of its film's end it says nothing.
        process.send_signal(signal.SIGINT)
        transcript = await told(network, server, f"{session}/transcript?wait=20")
        await asyncio.wait_for(process.wait(), 10)
    over = await told(network, server, session)
    assert [gloss["gloss"] for gloss in transcript["glosses"]] == ["hello", "hello"], log.read_text()
    assert (over["state"], over["reason"]) == ("ended", "camera stopped")


async def test_its_h264_offered_with_all_candidates_arrives_too(
    network: Network, server: Server, command: Command, without_upnp: Path, tmp_path: Path
) -> None:
    session, log = "session-of-gstreamer-in-h264", tmp_path / "client.log"
    words = [*command("H264", session), "--no-trickle"]
    async with publishing(network, *words, libraries=without_upnp, log=log) as process:
        async with asyncio.timeout(20):
            while not await windows_of(network, server, session):
                await asyncio.sleep(0.1)
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), 10)
        await told(network, server, f"{session}/transcript?wait=20")
    over = await told(network, server, session)
    assert (over["state"], over["reason"]) == ("ended", "camera stopped"), log.read_text()


async def windows_of(network: Network, server: Server, session: str) -> int:
    """How many windows of a session have been answered; each needs a second of decoded pictures."""
    answer = await told(network, server, session)
    return sum(answer.get("windows", {}).values())  # None before it has published.
