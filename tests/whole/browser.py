"""Headless Chromium with a film for a camera."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Page, async_playwright

from deploy.bench.chromium_camera import FLAGS


@contextlib.asynccontextmanager
async def browsing(chromium: str, film: Path | None, *more: str) -> AsyncIterator[Page]:
    """A fresh page whose camera plays the film; without one, a browser with no camera at all. More flags."""
    if film:
        flags = [*FLAGS, *more, f"--use-file-for-fake-video-capture={film}"]
    else:
        flags = [flag for flag in FLAGS if "fake-device" not in flag]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, headless=True, args=flags)
        try:
            yield await browser.new_page()
        finally:
            await browser.close()
