"""A camera that is ended at any moment leaves nothing, not even while it connects."""

import asyncio

import pytest

from tests.gateway.ingest.conftest import SESSION, Publish, Server


@pytest.mark.parametrize("moment", [0.0, 0.03, 0.1, 0.3])
async def test_ending_at_any_moment_is_quick(server: Server, publish: Publish, moment: float) -> None:
    await publish()
    await asyncio.sleep(moment)
    camera = server.cameras.find(SESSION)
    assert camera is not None
    async with asyncio.timeout(4):
        await camera.close("no longer wanted")
    assert await server.end_of() == "no longer wanted"
    await server.camera_is_over()
