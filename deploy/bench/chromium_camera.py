"""One real browser with a film for a camera, which notes when each picture was captured.

Chromium's camera plays a file without a clock. So the page reads the number off the pictures of its own
preview now and then, with the time at which its camera gave the picture (`captureTime` of
HTMLVideoElement.requestVideoFrameCallback, W3C).
"""

import asyncio
import contextlib
import importlib.util
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from deploy.bench.signed_film import BLOCK_HEIGHT, BLOCK_WIDTH, BLOCKS, number_of

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
)

EVERY = 5
"""Pictures between two that are looked at: reading one costs a millisecond."""

CONNECT_SECONDS = 90.0

WATCH = """
([columns, row, every]) => {
  const video = document.querySelector("video");
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  window.seen = [];
  let count = 0;
  const look = (now, frame) => {
    video.requestVideoFrameCallback(look);
    if (count++ % every === 0 && video.videoWidth) {
      const width = video.videoWidth, height = video.videoHeight;
      canvas.width = Math.ceil(columns[columns.length - 1] * width) + 8;
      canvas.height = Math.ceil(2 * row * height);
      context.drawImage(video, 0, 0, canvas.width, canvas.height, 0, 0, canvas.width, canvas.height);
      const read = (share) => {
        const at = context.getImageData(Math.round(share * width), Math.round(row * height), 1, 1).data;
        return at[0] + at[1] + at[2] > 381 ? 1 : 0;
      };
      const captured = performance.timeOrigin + (frame.captureTime ?? now);
      window.seen.push([columns.map(read), captured / 1000, frame.captureTime === undefined]);
    }
  };
  video.requestVideoFrameCallback(look);
}
"""


class NoBrowserError(RuntimeError):
    """There is no Chromium, or nothing to drive it with; says how to get it."""


class ChromiumCamera:
    """The Live page with its camera on. Use `running()`."""

    def __init__(self, page: Any, session: str) -> None:
        self.session = session
        self._page = page

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, url: str, film: Path) -> AsyncIterator["ChromiumCamera"]:
        """Publishes to the gateway at `url` inside. NoBrowserError, or TimeoutError when it is not taken."""
        path = browser()
        from playwright.async_api import async_playwright  # noqa: PLC0415 - only a bench needs it

        async with async_playwright() as playwright:
            flags = [*FLAGS, f"--use-file-for-fake-video-capture={film}"]
            launched = await playwright.chromium.launch(executable_path=path, headless=True, args=flags)
            try:
                page = await launched.new_page()
                async with asyncio.timeout(CONNECT_SECONDS):
                    await page.goto(f"{url}/?autostart=1")
                    await page.wait_for_function(
                        "() => document.querySelector('#state').dataset.session",
                        timeout=1000 * CONNECT_SECONDS,
                    )
                    session = await page.eval_on_selector("#state", "element => element.dataset.session")
                columns = [(at + 0.5) * BLOCK_WIDTH for at in range(BLOCKS)]
                await page.evaluate(WATCH, [columns, BLOCK_HEIGHT / 2, EVERY])
                yield cls(page, session)
            finally:
                await launched.close()

    async def seen(self) -> list[tuple[float, int]]:
        """Unix time of capture and number of the pictures looked at, in order."""
        told = await self._page.evaluate("() => window.seen")
        read = [(captured, number_of(bits)) for bits, captured, _ in told]
        return [(captured, number) for captured, number in read if number is not None]


def browser() -> str:
    """Path of Chromium. NoBrowserError where it or Playwright is missing."""
    found = shutil.which("chromium") or os.environ.get("CHROMIUM", "")
    if not found or not Path(found).exists():
        raise NoBrowserError("no chromium: apt-get install chromium, or name it in CHROMIUM")
    if importlib.util.find_spec("playwright") is None:
        raise NoBrowserError("no playwright: make .venv/dev.stamp installs it")
    return found
