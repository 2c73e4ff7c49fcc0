"""A keypoint worker's surroundings."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis.asyncio

from shared import keys
from shared.claims import Claims
from tests.workers.keypoints.clips import Clip, generate
from tests.workers.keypoints.stage import Words
from workers.keypoints.extractor import ExtractorFactory
from workers.keypoints.holistic import Holistic
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windows import WindowTopics
from workers.keypoints.workplace import Workplace

MakePlace = Callable[..., Workplace]


@pytest.fixture
async def make_place(store: redis.asyncio.Redis, redis_url: str) -> AsyncIterator[MakePlace]:
    """Workplaces as a process would have one, with the real extractor and the real topics."""
    executor = ThreadPoolExecutor(1)
    async with WindowTopics(redis_url) as topics:

        def make(*models: Words, extractor: ExtractorFactory = lambda _: Holistic()) -> Workplace:
            specs = {model.name: WindowSpec.of(model) for model in models or (Words(),)}
            return Workplace(store, topics, specs, extractor, executor, asyncio.Event())

        yield make
    executor.shutdown()


@pytest.fixture
def place(make_place: MakePlace) -> Workplace:
    return make_place()


@pytest.fixture
async def claims(store: redis.asyncio.Redis, redis_url: str) -> AsyncIterator[Claims]:
    async with Claims(redis_url, keys.KEYPOINTS_GROUP, "tester") as held:
        yield held


@pytest.fixture(scope="session")
def clip() -> Clip:
    return generate(60)


@pytest.fixture(scope="session")
def camera_clip() -> Clip:
    return generate(90, encoder="libvpx", gop=30)
