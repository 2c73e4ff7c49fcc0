"""One running composition, and a camera before it, for the tests that look at them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.deploy.topology import OUTSIDE, Topology, running_topology
from tests.whole.browser import browsing
from tests.whole.camera import film

PAGE = f"{OUTSIDE}:8080"

RELAYS_ONLY = """
const Peer = RTCPeerConnection;
globalThis.RTCPeerConnection = class extends Peer {
  constructor(options) {
    super({ ...options, iceTransportPolicy: "relay" });
    globalThis.peer = this;
  }
};
"""


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def topology(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Topology]:
    """All that the file describes and Debian has, on a machine that browsers reach under another address.

    With the cheaper extractor: on a slow machine, too, a camera's pictures come in time.
    """
    folder = tmp_path_factory.mktemp("composition")
    chosen = {"SIGNSTREAM_PUBLIC_ADDRESS": OUTSIDE, "SIGNSTREAM_PAGE_HOST": PAGE}
    async with running_topology(folder, **chosen, SIGNSTREAM_EXTRACTOR="tracker") as running:
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def page(
    topology: Topology, chromium: str, data_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Page]:
    """A browser outside that may only use relays; its camera shows two signs, over and over."""
    played = tmp_path_factory.mktemp("film") / "camera.mjpeg"
    film(data_path / "videos" / "asl_hello_x2.mp4", played, 640, 360, still_seconds=2.0)
    # Cameras want a secure origin; a proxy with TLS would be before a real one.
    trusted = f"--unsafely-treat-insecure-origin-as-secure=http://{PAGE}"
    async with browsing(topology.browser(chromium), played, trusted) as shown:
        await shown.add_init_script(RELAYS_ONLY)
        address, _, token = topology.page.partition("#")
        await shown.goto(f"{address}?autostart=1#{token}")
        await shown.wait_for_function("() => document.querySelector('#state').dataset.session")
        yield shown
