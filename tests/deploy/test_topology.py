"""The composition as a whole: a browser outside it, files, what its users may, what Prometheus sees."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.conftest import ROOT
from tests.deploy.topology import OUTSIDE, Topology
from tests.whole import glosses

# The first test waits for all of it to start; a quiet machine takes a quarter of that.
pytestmark = [pytest.mark.asyncio(loop_scope="package"), pytest.mark.data, pytest.mark.timeout(240)]

DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "signstream.json"

PAIR = """async () => {
  const stats = [...(await peer.getStats()).values()];
  const { selectedCandidatePairId } = stats.find((one) => one.type === "transport");
  const pair = stats.find((one) => one.id === selectedCandidatePairId);
  const local = stats.find((one) => one.id === pair.localCandidateId);
  const remote = stats.find((one) => one.id === pair.remoteCandidateId);
  return [local.candidateType, local.url, remote.address];
}"""


@pytest.mark.browser
async def test_a_browser_that_may_only_use_relays_gets_its_glosses(topology: Topology, page: Page) -> None:
    await page.wait_for_function(
        "() => document.querySelectorAll('#glosses li.final').length >= 2", timeout=40_000
    )
    shown = await page.locator("#glosses li.final").all_inner_texts()
    kind, relay, gateway = await page.evaluate(PAIR)
    assert [text.split()[0] for text in shown[:2]] == ["hello", "hello"]
    assert kind == "relay"
    assert relay.startswith(f"turn:{OUTSIDE}:3478")
    # The gateway's media is on the inner network only, to which browsers have no way.
    assert gateway == topology.services["gateway"]["environment"]["SIGNSTREAM_ICE_ADDRESSES"]


async def test_a_file_is_recognised_by_stages_with_a_redis_user_each(
    topology: Topology, data_path: Path
) -> None:
    async with topology.gateway() as http:
        session = await glosses.upload(http, data_path / "videos" / "asl_hello_x2.mp4")
        assert glosses.words(await glosses.events(http, session)) == ["hello", "hello"]
    async with topology.redis("operator") as operator:
        users = {client["user"] for client in await operator.client_list()}
        refused = await operator.acl_log()
    assert {"gateway", "keypoints", "recognizers"} <= users
    assert refused == [], [(entry["username"], entry["object"]) for entry in refused]


async def test_prometheus_finds_every_stage(topology: Topology) -> None:
    async with topology.prometheus() as http, asyncio.timeout(10):
        healthy: set[str] = set()
        while healthy != {"gateway", "keypoints", "recognizers"}:
            async with http.get("/api/v1/targets") as answer:
                targets = (await answer.json())["data"]["activeTargets"]
            healthy = {target["labels"]["job"] for target in targets if target["health"] == "up"}


async def test_nobody_gets_in_without_a_token(topology: Topology) -> None:
    async with topology.gateway() as http:
        for path in ("/sessions/" + "A" * 22, "/sessions/" + "A" * 22 + "/transcript"):
            async with http.get(path, headers={"Authorization": "Bearer none"}) as answer:
                assert answer.status == 401


async def test_every_query_of_the_dashboard_finds_something(topology: Topology) -> None:
    """In what was measured while a camera and a file were there."""
    queries = [
        target["expr"].replace("$__rate_interval", "5s")
        for panel in json.loads(DASHBOARD.read_text())["panels"]
        for target in panel.get("targets", [])
    ]
    assert len(queries) > 30
    now = time.time()
    empty = []
    async with topology.prometheus() as http:
        for query in queries:
            span = {"query": query, "start": str(now - 600), "end": str(now), "step": "1"}
            async with http.get("/api/v1/query_range", params=span) as answer:
                told = await answer.json()
            assert told["status"] == "success", (query, told)
            values = [value for series in told["data"]["result"] for _, value in series["values"]]
            if all(value == "NaN" for value in values):
                empty.append(query)
    assert empty == []
