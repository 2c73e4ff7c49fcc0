"""Debian's simple-whip-client (Meetecho; GStreamer's WebRTC): a WHIP client that is not ours."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from shared.framelog import Frame
from shared.settings import Settings
from tests.gateway.ingest.conftest import SESSION, ingesting

PICTURES = (
    "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=480,framerate=30/1 ! videoconvert"
    " ! queue ! {encoder} ! queue ! application/x-rtp,media=video,encoding-name={name},payload=96"
)
ENCODERS = {
    "VP8": "vp8enc deadline=1 target-bitrate=1000000 keyframe-max-dist=60 ! rtpvp8pay pt=96 ssrc=2",
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast bitrate=1000 key-int-max=60"
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


@pytest.fixture
def address() -> str:
    """This machine's own: libnice sends nothing over loopback. Media only, for as long as the test takes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # A documentation address; connecting UDP sends nothing.
        except OSError:
            pytest.skip("this machine has no address but loopback")
        found: str = probe.getsockname()[0]
        return found


@contextlib.asynccontextmanager
async def publishing(
    url: str, codec: str, libraries: Path, *options: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The client, until it is told to stop."""
    binary = shutil.which("whip-client")
    if binary is None:
        pytest.skip("no whip-client: apt-get install simple-whip-client")
    pipeline = PICTURES.format(encoder=ENCODERS[codec], name=codec)
    process = await asyncio.create_subprocess_exec(
        *(binary, "-u", url, "-V", pipeline, *options),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "LD_LIBRARY_PATH": str(libraries)},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize(("codec", "options"), [("VP8", ()), ("H264", ("-n",))])
async def test_it_publishes_and_ends_its_session_cleanly(
    redis_url: str, address: str, without_upnp: Path, codec: str, options: tuple[str, ...]
) -> None:
    settings = Settings(redis_url=redis_url).model_copy(update={"ice_addresses": address})
    decoder = av.CodecContext.create(codec.lower(), "r")
    sizes: set[tuple[int, int]] = set()
    count = 0
    async with ingesting(settings) as server:
        url = f"{server.url}/whip?session={SESSION}"
        async with publishing(url, codec, without_upnp, *options) as client:
            async with asyncio.timeout(20), contextlib.aclosing(server.frames()) as entries:
                async for entry in entries:
                    assert isinstance(entry, Frame), entry
                    sizes |= {(p.width, p.height) for p in decoder.decode(av.Packet(entry.data))}
                    count += 1
                    if count == 45:
                        break
            assert sizes == {(640, 480)}
            client.send_signal(signal.SIGINT)
            assert await server.end_of() == "camera stopped"
            await asyncio.wait_for(client.wait(), 10)
        assert len(server.cameras) == 0
