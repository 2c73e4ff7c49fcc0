"""One running composition for the tests that look at it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.deploy.topology import OUTSIDE, Topology, running_topology
from tests.whole import conftest as whole

PAGE = f"{OUTSIDE}:8080"

chromium = whole.chromium


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def topology(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Topology]:
    """All that the file describes and Debian has, on a machine that browsers reach under another address."""
    folder = tmp_path_factory.mktemp("composition")
    async with running_topology(
        folder, SIGNSTREAM_PUBLIC_ADDRESS=OUTSIDE, SIGNSTREAM_PAGE_HOST=PAGE
    ) as running:
        yield running
