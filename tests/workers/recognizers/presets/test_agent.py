"""Presets through the real agent: a window into Redis, its result out."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from redis.asyncio import Redis

from shared import keys
from shared.bundles import Bundle
from shared.bundles.watch import ModelWatch
from shared.messages import Result, Window, unpack_record
from tests.shared.faust_redis.conftest import until
from tests.workers.recognizers.presets.conftest import (
    ORIGINALS,
    Array,
    clip,
    frames,
    landmark_window,
    made,
    picture_window,
)
from workers.recognizers.app import serve


async def result_of(redis_url: str, store: Redis, window: Window, bundle: Bundle) -> Result:
    await store.hset(keys.session(window.session), mapping={"state": "live"})
    stop = asyncio.Event()
    task = asyncio.create_task(serve(redis_url, ModelWatch([bundle.name], [bundle.folder.parent]), stop=stop))
    await store.xadd(keys.windows(window.model), {"v": window.pack()})
    await until(lambda: store.xlen(keys.results(window.session)), 30)
    stop.set()
    await task
    entries: Any = await store.xrange(keys.results(window.session))
    record = unpack_record(entries[0][1][b"r"])
    assert isinstance(record, Result)
    return record


@pytest.mark.parametrize("name", ["bukva", "gislr-mw"])
async def test_a_window_of_a_preset_is_answered(
    redis_url: str, store: Redis, tmp_path: Path, name: str
) -> None:
    original = ORIGINALS[name]
    bundle = made(name, tmp_path, original)
    pictures, points = clip(8), frames(90)
    if bundle.picture is not None:
        window, expected = picture_window(bundle, pictures), original.reference(pictures)
    else:
        window, expected = landmark_window(bundle, points), original.reference(points)
    result = await result_of(redis_url, store, window, bundle)
    assert result.error == ""
    scores: Array = original.sketch.answer(*expected)
    numbers = [i for i in np.argsort(-scores) if i not in bundle.manifest.labels.background_ids][:2]
    signs = [label for label, _ in result.top if label not in bundle.background][:2]
    assert signs == [bundle.labels[int(i)] for i in numbers]
