"""Keypoint workers and recognizers: which live, what they serve, and whether windows pile up."""

from collections.abc import Sequence
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

from deploy.doctor.finding import Finding, failed, ok, skipped, warning
from shared import keys
from shared.settings import Settings
from shared.stages import announced

STAGES = {"keypoints": "signstream keypoints", "recognizers": "signstream recognizers"}
"""A stage, and the command that starts one process of it."""

PILED_UP = 500
"""Windows of one model that nobody has answered yet: a minute of many cameras."""


async def look(settings: Settings) -> list[Finding]:
    """By what they tell Redis of themselves every second."""
    if not settings.redis_url:
        return [skipped(stage, "only Redis knows; set SIGNSTREAM_REDIS_URL") for stage in STAGES]
    store = redis.asyncio.Redis.from_url(settings.redis_url, socket_connect_timeout=3, socket_timeout=3)
    try:
        found = [_stage(stage, await announced(store, stage), settings.model_list) for stage in STAGES]
        return [*found, *[await _backlog(store, model) for model in settings.model_list]]
    except (RedisError, OSError):
        return [skipped(stage, "only Redis knows, and it does not answer") for stage in STAGES]
    finally:
        await store.aclose()


def _stage(stage: str, processes: list[dict[str, Any]], models: Sequence[str]) -> Finding:
    if not processes:
        return failed(stage, "none is alive", f"start one: `{STAGES[stage]}`; if it ends, its log says why")
    served = {model for process in processes for model in process["models"]}
    missing = [model for model in models if model not in served]
    if missing:
        return failed(
            stage,
            f"{len(processes)} alive, but none serves {', '.join(missing)}",
            "give it the same SIGNSTREAM_MODELS and models folder; its log says why it refused one",
        )
    said = f"{len(processes)} alive"
    if stage == "keypoints":
        said += f", room for {sum(process.get('capacity', 0) for process in processes)} sessions"
    return ok(stage, said)


async def _backlog(store: redis.asyncio.Redis, model: str) -> Finding:
    waiting = int(await store.xlen(keys.windows(model)))
    if waiting > PILED_UP:
        return warning(
            f"windows {model}", f"{waiting} wait for a recognizer", "start more: `signstream recognizers`"
        )
    return ok(f"windows {model}", f"{waiting} wait for a recognizer")
