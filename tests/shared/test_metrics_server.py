"""A process's own port for Prometheus and for whoever asks whether it lives."""

import asyncio
import re
import time
from pathlib import Path

import aiohttp
import pytest

from shared import metrics, metrics_server
from shared.settings import SettingsError
from tests.conftest import ROOT, free_port


async def test_it_tells_metrics_life_and_what_is_missing() -> None:
    lacking: list[str] = []
    port = free_port()
    metrics.SESSIONS_OWNED.set(3, "live")
    async with (
        metrics_server.served("keypoints", "127.0.0.1", port, lambda: lacking),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
    ):
        async with http.get("/metrics") as answer:
            text = await answer.text()
        assert 'signstream_keypoint_sessions_owned{kind="live"} 3.0' in text
        assert 'signstream_frames_dropped_total{reason="late"}' in text
        assert "process_resident_memory_bytes" in text
        assert "signstream_gateway_sessions" not in text  # another stage's
        for path, status in (("/healthz", 200), ("/readyz", 200), ("/etc/passwd", 404)):
            async with http.get(path) as answer:
                assert answer.status == status
        lacking.append("Redis")
        async with http.get("/readyz") as answer:
            assert answer.status == 503
            assert await answer.json() == {"ready": False, "missing": ["Redis"]}
        metrics.SESSIONS_OWNED.set(0, "live")
        with pytest.raises(SettingsError, match=rf"{port}.*SIGNSTREAM_METRICS_PORT"):
            await metrics_server.served("keypoints", "127.0.0.1", port, list).__aenter__()
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.get(f"http://127.0.0.1:{port}/healthz")


async def test_an_event_loop_that_hangs_is_no_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "ALIVE_SECONDS", 0.2)
    monkeypatch.setattr(metrics_server, "BEAT_SECONDS", 0.02)
    pulse = metrics_server.Pulse()
    beating = asyncio.create_task(pulse.beat())
    await asyncio.sleep(0.05)
    seen = [pulse.is_there]
    time.sleep(0.3)  # noqa: ASYNC251 - this is what hangs
    seen.append(pulse.is_there)
    beating.cancel()
    assert seen == [True, False]


async def test_without_a_port_nobody_listens() -> None:
    async with metrics_server.served("keypoints", "127.0.0.1", 0, list):
        pass


def test_every_metric_has_our_prefix_a_meaning_and_a_place_in_the_code() -> None:
    code = "".join(
        path.read_text("utf-8")
        for folder in ("gateway", "shared", "workers")
        for path in (ROOT / folder).rglob("*.py")
        if path != Path(metrics.__file__)
    )
    names = {id(value): name for name, value in vars(metrics).items() if isinstance(value, metrics.Metric)}
    assert len({metric.name for metric in metrics.METRICS}) == len(metrics.METRICS)
    for metric in metrics.METRICS:
        assert re.fullmatch(r"signstream_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.what.endswith(".")
        assert re.search(rf"\b{names[id(metric)]}\b", code), f"nobody counts {metric.name}"
