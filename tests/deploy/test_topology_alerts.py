"""Each alert's real cause, in the running composition; nothing is told to Prometheus but what happens.

A minute of the rules is a second here (`topology.hurry`); that they wait as long as they should is looked
at in test_alerts.py. Runs after test_topology.py, which wants everything whole.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import yaml
from playwright.async_api import Page

from shared import keys, sessions
from shared.fence import take_writer
from shared.framelog import Frame, LiveFrameWriter
from shared.sessions import Session
from tests.conftest import ROOT
from tests.deploy.topology import Topology
from tests.whole import glosses

pytestmark = [pytest.mark.asyncio(loop_scope="package"), pytest.mark.data, pytest.mark.browser]

FIRE_SECONDS = 20.0

seen: set[str] = set()
"""Alerts that have fired so far."""


async def fire(topology: Topology, *names: str) -> None:
    """Until each of them has fired."""
    missing = set(names)
    async with topology.prometheus() as http:
        try:
            async with asyncio.timeout(FIRE_SECONDS):
                while missing:
                    async with http.get("/api/v1/alerts") as answer:
                        told = (await answer.json())["data"]["alerts"]
                    fired = {one["labels"]["alertname"] for one in told if one["state"] == "firing"}
                    seen.update(fired)
                    missing -= fired
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{missing} did not fire; {fired} did") from None


@contextlib.asynccontextmanager
async def starved(process: psutil.Process, still: float, running: float = 0.15) -> AsyncIterator[None]:
    """A process that gets the CPU only now and then."""

    async def starve() -> None:
        try:
            while True:
                process.suspend()
                await asyncio.sleep(still)
                process.resume()
                await asyncio.sleep(running)
        finally:
            process.resume()

    task = asyncio.create_task(starve())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_workers_that_get_too_little_cpu(topology: Topology, page: Page) -> None:
    async with (
        starved(topology.process("keypoints"), 0.9),
        starved(topology.process("recognizers"), 1.3),
    ):
        await fire(topology, "SignstreamFramesOld", "SignstreamFramesDropped", "SignstreamGlossesSlow")


async def test_a_recognizer_that_hangs(topology: Topology, page: Page) -> None:
    async with starved(topology.process("recognizers"), 10 * FIRE_SECONDS):
        names = ("SignstreamWindowsWait", "SignstreamNoRecognizer", "SignstreamProcessSilent")
        await fire(topology, *names)
        # What is still unanswered two seconds after the end is given up.
        await page.click("#stop")
        await fire(topology, "SignstreamWindowsDropped")


async def test_noise_a_full_redis_a_gateway_held_up_and_guessed_tokens(
    topology: Topology,
) -> None:
    async def guess() -> None:
        async with topology.gateway() as http:
            while True:
                wrong = {"Authorization": "Bearer guessed"}
                async with http.get(f"/sessions/{'A' * 22}", headers=wrong) as answer:
                    assert answer.status in (401, 429)

    async with topology.redis("operator") as operator:
        await send_noise(topology)
        await operator.config_set("maxmemory", "64mb")
        await operator.setrange("ballast", 56 * 2**20, b"0")
        gateway = topology.process("gateway")
        gateway.suspend()
        await asyncio.sleep(0.6)
        gateway.resume()
        guessing = asyncio.create_task(guess())
        try:
            await fire(
                topology,
                "SignstreamSessionsFail",
                "SignstreamRedisFull",
                "SignstreamGatewayHeldUp",
                "SignstreamTokensRefused",
            )
        finally:
            guessing.cancel()
            await asyncio.gather(guessing, return_exceptions=True)
            await operator.delete("ballast")
            await operator.config_set("maxmemory", "2gb")


async def send_noise(topology: Topology) -> None:
    """A camera whose frames nobody can decode: a session that a gateway would write so."""
    async with topology.redis("gateway") as store:
        session = Session(keys.new_session_id(), "live", ("asl-words",), "vp8")
        assert await sessions.create(store, session)
        writer = LiveFrameWriter(await take_writer(store, session.id))
        for number in range(60):
            await writer.append(Frame(b"\xff" * 500, number * 6000, number * 6000, number == 0, 0.0))
        await writer.end("the camera has gone")


async def test_no_keypoint_worker_and_then_too_few(topology: Topology, data_path: Path) -> None:
    await topology.stop("keypoints", kill=True)
    async with topology.gateway() as http:
        for _ in range(3):
            await glosses.upload(http, data_path / "videos" / "asl_hello_x2.mp4")
    await fire(topology, "SignstreamNoKeypointWorker")
    await topology.start("keypoints", SIGNSTREAM_SESSIONS_PER_WORKER="1")
    await fire(topology, "SignstreamSessionsWait")


async def test_redis_away_and_then_the_gateway(topology: Topology) -> None:
    await topology.stop("redis", kill=True)
    await fire(topology, "SignstreamRedisAway")
    await topology.start("redis")
    await topology.ready()
    await topology.stop("gateway", kill=True)
    await fire(topology, "SignstreamNoGateway")


async def test_every_alert_has_fired(topology: Topology) -> None:
    shipped = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())
    assert {rule["alert"] for group in shipped["groups"] for rule in group["rules"]} == seen
