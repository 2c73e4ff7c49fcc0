"""The whole gateway in one process: what it runs, whether it is ready, and how it refuses."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import aiohttp
import pytest
from redis.asyncio import Redis

import gateway.app
from gateway.app import create_app
from shared import keys, settings
from shared.bundles import watch
from shared.bundles.error import BundleError
from tests.gateway.serving import serving
from tests.shared.bundles.editions import put
from tests.shared.faust_redis.conftest import until


@pytest.fixture
async def http(redis_url: str) -> AsyncIterator[aiohttp.ClientSession]:
    app = create_app(settings.load(redis_url=redis_url))
    async with serving(app) as url, aiohttp.ClientSession(url) as client:
        yield client


async def said(http: aiohttp.ClientSession, path: str) -> tuple[int, str]:
    async with http.get(path) as answer:
        return answer.status, await answer.text()


async def test_the_models_that_run_are_listed_with_their_signs(http: aiohttp.ClientSession) -> None:
    status, body = await said(http, "/models")
    (model,) = json.loads(body)["models"]
    assert (status, model["name"], model["task"], model["sign_language"]) == (
        200,
        "asl-words",
        "isolated",
        "ase",
    )
    assert "hello" in model["signs"]
    assert "-" not in model["signs"]


async def test_a_model_tells_its_card(http: aiohttp.ClientSession) -> None:
    status, body = await said(http, "/models/asl-words")
    assert status == 200
    assert "traduttore" in json.loads(body)["card"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/models/nobody", "asl-words"),
        ("/models/nobody/examples/hello", "asl-words"),
        ("/models/asl-words/examples/xylophone", "no sign"),
        ("/models/asl-words/examples/hello/video", "no video"),
    ],
)
async def test_what_is_not_there_is_404_with_a_sentence(
    http: aiohttp.ClientSession, path: str, says: str
) -> None:
    status, body = await said(http, path)
    assert status == 404
    assert says in json.loads(body)["error"]


async def test_it_lives_before_it_is_ready(http: aiohttp.ClientSession) -> None:
    assert await said(http, "/healthz") == (200, "ok\n")
    status, body = await said(http, "/readyz")
    assert status == 503
    assert json.loads(body)["missing"] == [
        "keypoints for the model asl-words",
        "recognizers for the model asl-words",
    ]


async def test_a_gateway_whose_transcripts_end_by_a_fault_says_so_and_is_not_ready(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def at_fault(_: object) -> NoReturn:
        raise ZeroDivisionError("a rule at fault")

    monkeypatch.setattr(gateway.app, "rules_of", at_fault)
    app = create_app(settings.load(redis_url=redis_url))
    async with serving(app) as url, aiohttp.ClientSession(url) as client, asyncio.timeout(5):
        await app.state.gateway.handed_over.wait()
        status, body = await said(client, "/readyz")
    assert status == 503
    assert "this gateway is stopping" in json.loads(body)["missing"]
    assert "a rule at fault" in caplog.text


async def test_it_is_ready_when_every_stage_serves_every_model(
    http: aiohttp.ClientSession, store: Redis
) -> None:
    await store.set(keys.stage("keypoints", "one"), json.dumps({"models": ["asl-words"]}))
    await store.set(keys.stage("recognizers", "one"), json.dumps({"models": ["other"]}))
    assert json.loads((await said(http, "/readyz"))[1])["missing"] == ["recognizers for the model asl-words"]
    await store.set(keys.stage("recognizers", "two"), json.dumps({"models": ["asl-words"]}))
    assert (await said(http, "/readyz"))[0] == 200


async def test_metrics_are_told(http: aiohttp.ClientSession) -> None:
    status, body = await said(http, "/metrics")
    assert status == 200
    assert "process_resident_memory_bytes" in body


async def test_the_page_is_served(http: aiohttp.ClientSession) -> None:
    status, body = await said(http, "/")
    assert status == 200
    assert "Signstream" in body


async def test_a_model_that_is_not_there_stops_the_start(redis_url: str) -> None:
    with pytest.raises(BundleError, match="nobody"):
        create_app(settings.load(redis_url=redis_url, models="nobody"))


async def test_models_come_change_and_go_while_it_runs(
    redis_url: str, store: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(gateway.app, "POLL_SECONDS", 0.05)
    config = settings.load(redis_url=redis_url, models_folder=str(tmp_path))

    async def titles() -> dict[str, str]:
        _, body = await said(client, "/models")
        return {model["name"]: model["title"] for model in json.loads(body)["models"]}

    async with serving(create_app(config)) as url, aiohttp.ClientSession(url) as client:
        assert list(await titles()) == ["asl-words"]
        put(tmp_path, "second")
        for stage in ("keypoints", "recognizers"):
            await store.set(keys.stage(stage, "one"), json.dumps({"models": ["asl-words", "second"]}))
            assert list(await titles()) == ["asl-words"], "not before every stage serves it"

        async def has_come() -> bool:
            return list(await titles()) == ["asl-words", "second"]

        await until(has_come)
        put(tmp_path, "second", title="Better")

        async def has_changed() -> bool:
            return (await titles()).get("second") == "Better"

        await until(has_changed)
        shutil.rmtree(tmp_path / "second")

        async def has_gone() -> bool:
            return list(await titles()) == ["asl-words"]

        await until(has_gone)
        async with client.post("/whip?models=second", data="v=0") as refused:
            assert refused.status in (404, 415)
