"""What the doctor says of workers, from what they tell Redis of themselves."""

import json

from redis.asyncio import Redis

from deploy.doctor import stages
from deploy.doctor.finding import Finding
from shared import keys
from shared.settings import Settings
from tests.conftest import free_port


async def look(redis_url: str) -> dict[str, Finding]:
    return {finding.part: finding for finding in await stages.look(Settings(redis_url=redis_url))}


async def test_no_worker_at_all_fails_and_says_how_to_start_one(redis_url: str) -> None:
    found = await look(redis_url)
    assert found["keypoints"].status == found["recognizers"].status == "failed"
    assert "`signstream keypoints`" in found["keypoints"].advice


async def test_workers_that_serve_other_models_only_fail(redis_url: str, store: Redis) -> None:
    await store.set(keys.stage("keypoints", "one"), json.dumps({"models": ["asl-words"], "capacity": 3}))
    await store.set(keys.stage("recognizers", "one"), json.dumps({"models": ["another"]}))
    found = await look(redis_url)
    assert (found["keypoints"].status, found["keypoints"].said) == ("ok", "1 alive, room for 3 sessions")
    assert found["recognizers"].status == "failed"
    assert "none serves asl-words" in found["recognizers"].said


async def test_windows_that_pile_up_are_warned_of(redis_url: str, store: Redis) -> None:
    pipeline = store.pipeline()
    for _ in range(stages.PILED_UP + 1):
        pipeline.xadd(keys.windows("asl-words"), {"window": b""})
    await pipeline.execute()
    found = await look(redis_url)
    assert found["windows asl-words"].status == "warning"


async def test_with_redis_down_nothing_is_claimed_of_them() -> None:
    found = await look(f"redis://127.0.0.1:{free_port()}/0")
    assert {finding.status for finding in found.values()} == {"skipped"}
