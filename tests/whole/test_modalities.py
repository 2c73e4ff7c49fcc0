"""Published models' outsides behind the keypoint stage: what it sends is what they take, and answer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import redis.asyncio

from shared import keys, sessions
from shared.bundles import Bundle
from shared.claims import Claims
from shared.messages import Window
from shared.settings import Settings
from tests.workers.keypoints.clips import Clip, generate, read_clip
from tests.workers.keypoints.stage import upload, windows
from tests.workers.recognizers.presets.conftest import ORIGINALS, made
from workers.keypoints.decoder import Decoder
from workers.keypoints.extractor import Extractor
from workers.keypoints.extractors import extractor_factory
from workers.keypoints.session import own_session
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windows import WindowTopics
from workers.keypoints.workplace import Workplace
from workers.recognizers.graphs import Recognizer


def nobody(rows: frozenset[int]) -> Extractor:
    raise AssertionError("nothing is to be landmarked")


async def windows_of(store: redis.asyncio.Redis, url: str, clip: Clip, bundle: Bundle) -> list[Window]:
    """What the keypoint stage sends of a file to the recognizers of this model."""
    spec = WindowSpec.of(bundle)
    session = clip.session(models=(bundle.name,))
    await upload(store, clip, session)
    await store.hset(keys.session(session.id), sessions.REACHED_PREFIX + bundle.name, 2**31)
    extractor = extractor_factory(Settings(extractor="tracker")) if spec.needs else nobody
    with ThreadPoolExecutor(1) as thread:
        async with WindowTopics(url) as topics, Claims(url, keys.KEYPOINTS_GROUP, "tester") as claims:
            place = Workplace(store, topics, {bundle.name: spec}, extractor, thread, asyncio.Event())
            claim = await claims.take(2.0)
            assert claim is not None
            assert await own_session(place, claim)
    return await windows(store, bundle.name)


@pytest.mark.parametrize("name", ["bukva", "slovo-mvit-16-4", "easy-sign"])
async def test_an_rgb_model_is_fed_the_pictures_it_was_trained_on(
    store: redis.asyncio.Redis, redis_url: str, tmp_path: Path, name: str
) -> None:
    """Every frame_interval-th picture of 30 a second, fitted as the published demos do, to the tensor."""
    original = ORIGINALS[name]
    bundle = made(name, tmp_path, original)
    interval = bundle.manifest.input.frame_interval
    clip = generate(bundle.samples * interval + 8)
    first, *_ = await windows_of(store, redis_url, clip, bundle)

    decoder = Decoder(clip.session())
    shown = [p for frame in clip.frames for p in decoder.decode(frame)] + decoder.flush()
    pictures = [p.rgb() for p in shown]
    expected, later = (
        original.reference(pictures[begin::interval][: bundle.samples])[0] for begin in (0, interval)
    )
    (fed,) = Recognizer(bundle).fed(first).values()
    assert fed.shape == expected.shape
    error, off_by_one = (float(np.abs(fed - wanted).mean()) for wanted in (expected, later))
    assert error < 0.05 * float(expected.std()), "only the JPEG is between them"
    assert off_by_one > 2 * error, "another picture would show"


@pytest.mark.data
async def test_a_model_of_whole_signs_is_asked_once_a_sign(
    store: redis.asyncio.Redis, redis_url: str, tmp_path: Path, data_path: Path
) -> None:
    bundle = made("gislr-mw", tmp_path, ORIGINALS["gislr-mw"])
    clip = read_clip(data_path / "videos" / "asl_hello_x2.mp4")
    sent = await windows_of(store, redis_url, clip, bundle)
    assert [window.whole for window in sent] == [True, True], "she says hello twice"
    recognizer = Recognizer(bundle)
    for window in sent:
        assert window.samples == round((window.end - window.start) * bundle.fps) + 1
        assert recognizer.recognize(window)


@pytest.mark.parametrize("name", sorted(ORIGINALS))
def test_every_published_model_says_windows_the_keypoint_stage_can_cut(tmp_path: Path, name: str) -> None:
    bundle = made(name, tmp_path, ORIGINALS[name])
    spec = WindowSpec.of(bundle)
    assert (spec.picture is None) == bool(spec.rows)
    assert spec.slides or spec.segments
