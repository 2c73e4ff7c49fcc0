"""One running Signstream for the tests that only use it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.whole.server import Server, signstream_up

MODELS = "asl-words,asl-sentences,asl-fingerspelling"
"""The first is the default."""


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """Everything, with every shipped model, on a free port."""
    async with signstream_up(tmp_path_factory.mktemp("up"), SIGNSTREAM_MODELS=MODELS) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="package")
async def http(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of it."""
    async with aiohttp.ClientSession(server.url) as client:
        yield client
