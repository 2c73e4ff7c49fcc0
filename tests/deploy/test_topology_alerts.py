"""Each alert's real cause, in the running composition; nothing is told to Prometheus but what happens.

A minute of the rules is a second here (`topology.hurry`); that they wait as long as they should is looked
at in test_alerts.py. Runs after test_topology.py, which wants everything whole, and in this order: the last
test leaves no gateway.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
import yaml
from playwright.async_api import Page

from shared import keys
from tests.conftest import ROOT
from tests.deploy.topology import Topology
from tests.whole import glosses

# Generous, as the next: a quiet machine takes a tenth.
pytestmark = [
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.data,
    pytest.mark.browser,
    pytest.mark.timeout(240),
]

FIRE_SECONDS = 90.0

MODEL = "asl-words"
"""What the page asks for."""


class Alerts:
    """What Prometheus has fired, as it wrote it down: an alert that came and went is not missed."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self.begun = time.time()

    async def fired(self, since: float) -> set[str]:
        """Names of all that fired at any time since then."""
        span = f"{max(1, int(time.time() - since))}s"
        query = f'count by (alertname) (last_over_time(ALERTS{{alertstate="firing"}}[{span}]))'
        async with (
            self._topology.prometheus() as http,
            http.get("/api/v1/query", params={"query": query}) as answer,
        ):
            told = await answer.json()
        return {series["metric"]["alertname"] for series in told["data"]["result"]}

    async def fire(self, *names: str, since: float) -> None:
        """Until each of them has fired, counted from the moment that its cause began."""
        fired: set[str] = set()
        try:
            async with asyncio.timeout(FIRE_SECONDS):
                while not fired.issuperset(f"Signstream{name}" for name in names):
                    fired = await self.fired(since)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"of {names} only {sorted(fired)} fired") from None


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def alerts(topology: Topology) -> AsyncIterator[Alerts]:
    """Of this module's time."""
    yield Alerts(topology)


@contextlib.asynccontextmanager
async def during(task: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Goes on with it for as long as what is inside takes; its own failure counts."""

    async def again() -> None:
        while True:
            await task()

    running = asyncio.create_task(again())
    try:
        yield
    finally:
        running.cancel()
        (ended,) = await asyncio.gather(running, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError), ended


@contextlib.contextmanager
def suspended(process: psutil.Process) -> Iterator[None]:
    """A process that hangs."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()


async def test_a_recognizer_that_gets_too_little_cpu(topology: Topology, page: Page, alerts: Alerts) -> None:
    """It stands still for a second, catches up, and so on: after two a live window would be given up."""
    recognizers = topology.process("recognizers")
    since = time.time()
    async with topology.redis("operator") as operator:

        async def starve() -> None:
            with suspended(recognizers):
                await asyncio.sleep(1.2)
            while await operator.xlen(keys.windows(MODEL)):
                await asyncio.sleep(0.05)

        async with during(starve):
            await alerts.fire("GlossesSlow", since=since)


async def test_too_little_cpu_a_full_redis_and_guessed_tokens(
    topology: Topology, page: Page, alerts: Alerts
) -> None:
    """Keypoint workers and a gateway that stand still now and then."""
    keypoints, gateway = topology.process("keypoints"), topology.process("gateway")
    since = time.time()

    async def starve() -> None:
        with suspended(keypoints):
            await asyncio.sleep(0.9)
        await asyncio.sleep(0.2)

    async with (
        topology.redis("operator") as operator,
        topology.gateway() as http,
    ):

        async def guess() -> None:
            wrong = {"Authorization": "Bearer guessed"}
            async with http.get(f"/sessions/{'A' * 22}", headers=wrong) as answer:
                assert answer.status in (401, 429)
            await asyncio.sleep(0.02)

        with suspended(gateway):
            await asyncio.sleep(0.6)
        await operator.setrange("ballast", 128 * 2**20, b"0")
        used = (await operator.info("memory"))["used_memory"]
        await operator.config_set("maxmemory", int(used / 0.88))
        try:
            async with during(starve), during(guess):
                names = ("FramesOld", "FramesDropped", "RedisFull", "GatewayHeldUp", "TokensRefused")
                await alerts.fire(*names, since=since)
        finally:
            await operator.delete("ballast")
            await operator.config_set("maxmemory", "2gb")


async def test_no_worker_then_one_that_is_too_small_and_lacks_a_model(
    topology: Topology, page: Page, data_path: Path, alerts: Alerts
) -> None:
    """With a recognizer that hangs over windows of a camera meanwhile."""
    since = time.time()
    video = data_path / "videos" / "asl_hello_x2.mp4"
    with suspended(topology.process("recognizers")):
        async with topology.redis("operator") as operator:
            while not await operator.xlen(keys.windows(MODEL)):
                await asyncio.sleep(0.05)
        await topology.stop("keypoints", kill=True)
        await alerts.fire("NoKeypointWorker", "WindowsWait", "NoRecognizer", "ProcessSilent", since=since)
        # It takes the camera on, and has room for nobody else.
        await topology.start("keypoints", SIGNSTREAM_SESSIONS_PER_WORKER="1", SIGNSTREAM_MODELS=MODEL)
        async with topology.gateway() as http:
            await glosses.upload(http, video, models="asl-sentences")
            await glosses.upload(http, video)
        await alerts.fire("SessionsWait", since=since)
        # The file for a model that this worker has not fails, and the camera's windows are given up.
        await page.click("#stop")
        await alerts.fire("SessionsFail", "WindowsDropped", since=since)


async def test_redis_away_and_then_the_gateway(topology: Topology, alerts: Alerts) -> None:
    since = time.time()
    await topology.stop("redis", kill=True)
    await alerts.fire("RedisAway", since=since)
    await topology.start("redis")
    await topology.stop("gateway", kill=True)
    await alerts.fire("NoGateway", since=since)


async def test_every_alert_has_fired(alerts: Alerts) -> None:
    shipped = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())
    assert {rule["alert"] for group in shipped["groups"] for rule in group["rules"]} == await alerts.fired(
        alerts.begun
    )
