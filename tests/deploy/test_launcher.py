"""What keeps all of Signstream from starting is said, and nothing stays behind."""

import asyncio

import pytest

from deploy.kept import CannotRunError
from deploy.launcher import Launcher, LaunchError
from shared import settings


async def test_a_taken_port_is_said_before_anything_starts() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        with pytest.raises(LaunchError, match=f"127.0.0.1:{port}.*SIGNSTREAM_PORT"):
            async with Launcher(settings.load(port=port)).running():
                pass
    finally:
        server.close()
        await server.wait_closed()


async def test_a_bundle_that_is_missing_is_said_and_all_is_stopped() -> None:
    with pytest.raises(CannotRunError, match="cannot run"):
        async with Launcher(settings.load(port=0, models="nobody")).running():
            pass
