"""One whole run, looked at from outside: its traces, its logs, its readiness, and what it leaves in Redis."""

import asyncio
import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import redis.asyncio

from shared import keys
from tests.collector import Span, collecting
from tests.conftest import running_redis
from tests.gateway.test_tokens import SECRET, signed
from tests.whole import glosses
from tests.whole.stages import House, house

pytestmark = pytest.mark.asyncio(loop_scope="function")

PASSWORD = "password-of-the-test-that-nobody-may-see"
TURN_SECRET = "turn-secret-that-nobody-may-see"
FILE = "family-video-of-anna.mp4"
WAY = ["capture", "landmarks", "recognize", "transcript"]
PLACES = ["signstream-gateway", "signstream-keypoints", "signstream-recognizers", "signstream-gateway"]


async def lacking(http: aiohttp.ClientSession) -> list[str]:
    """What `/readyz` names."""
    async with http.get("/readyz") as answer:
        said: list[str] = (await answer.json())["missing"]
        assert answer.status == (503 if said else 200)
        return said


async def until_lacking(http: aiohttp.ClientSession, wanted: list[str]) -> None:
    async with asyncio.timeout(30):
        while await lacking(http) != wanted:
            await asyncio.sleep(0.05)


@pytest.mark.data
async def test_a_run_is_traced_logged_without_secrets_and_forgotten(tmp_path: Path, data_path: Path) -> None:
    video = tmp_path / FILE
    shutil.copy(data_path / "videos" / "asl_hello_x2.mp4", video)
    key = tmp_path / "server.key"
    key.write_bytes(SECRET)
    token = signed(grants=["upload", "subscribe"], session="*")
    with running_redis(tmp_path) as url, collecting() as collector:
        async with redis.asyncio.Redis.from_url(url) as store:
            await store.config_set("requirepass", PASSWORD)
        settings = {
            "SIGNSTREAM_TOKEN_KEYS": str(key),
            "SIGNSTREAM_TURN_URLS": "turn:127.0.0.1:3478",
            "SIGNSTREAM_TURN_SECRET": TURN_SECRET,
            "SIGNSTREAM_LOG_LEVEL": "DEBUG",
            "SIGNSTREAM_LOG_FORMAT": "json",
            "SIGNSTREAM_OTLP_ENDPOINT": collector.url,
            "SIGNSTREAM_TRACE_SHARE": "1",
            "SIGNSTREAM_KEEP_SECONDS": "600",
        }
        guarded = url.replace("redis://", f"redis://:{PASSWORD}@")
        async with house(guarded, tmp_path, **settings) as stages:
            gateway = await (await stages.start("gateway")).ready()
            base = f"http://127.0.0.1:{gateway.port}"
            bearer = {"Authorization": f"Bearer {token}"}
            async with aiohttp.ClientSession(base, headers=bearer) as http:
                parts = [f"{stage} for the model asl-words" for stage in ("keypoints", "recognizers")]
                await until_lacking(http, parts)
                workers = [await stages.start("keypoints"), await stages.start("recognizers")]
                await until_lacking(http, [])
                session = await glosses.upload(http, video)
                async with aiohttp.ClientSession(base) as page:  # as a browser does: it can send no header
                    told = await _over_socket(page, f"/sessions/{session}/events?access_token={token}")
                async with http.get(
                    f"/sessions/{session}", headers={"Authorization": "Bearer a.b.c"}
                ) as answer:
                    assert answer.status == 401
                left = await _left_in_redis(guarded)
                await workers[1].stop()
                await until_lacking(http, parts[1:])
                async with redis.asyncio.Redis.from_url(guarded) as store:
                    await store.shutdown(nosave=True)
                await until_lacking(http, ["Redis"])
            await asyncio.gather(gateway.stop(), workers[0].stop())
            lines = _lines(stages)
    words = glosses.words(told)
    assert words == ["hello", "hello"]
    _require_way(collector.spans, session, told)
    assert {line["session"] for line in lines if "session" in line} == {session}
    assert {line["stage"] for line in lines} == {"gateway", "keypoints", "recognizers"}
    # By name, so that a failure does not print what must not be printed.
    text = json.dumps(lines)
    secrets = {"token": token, "key": SECRET.decode(), "password": PASSWORD, "turn": TURN_SECRET}
    personal = {"gloss": words[0], "file": "anna", "part of the token": token.split(".")[1]}
    assert [name for name, secret in (secrets | personal).items() if secret in text] == []
    assert {key for key in left if session in key} == {keys.session(session), keys.glosses(session)}
    assert all(0 < left[key] <= 600 for key in left if session in key)


async def _over_socket(http: aiohttp.ClientSession, path: str) -> list[glosses.Event]:
    async with asyncio.timeout(100), http.ws_connect(path) as socket:
        return [message.json() async for message in socket]


async def _left_in_redis(url: str) -> dict[str, int]:
    """Keys and their time to live. Nothing of the session's pictures, landmarks, windows or results."""
    async with redis.asyncio.Redis.from_url(url) as store:
        async with asyncio.timeout(5):  # the last acknowledgements come every quarter of a second
            while await store.xlen(keys.windows("asl-words")) or await store.xlen(keys.SESSIONS):
                await asyncio.sleep(0.05)
        names = [name.decode() for name in await store.keys() if isinstance(name, bytes)]
        fields = {field for name in names if name.startswith("session:") for field in await store.hkeys(name)}
        assert not fields & {b"checkpoint", b"transcript"}
        return {name: await store.ttl(name) for name in names}


def _lines(stages: House) -> list[dict[str, Any]]:
    """Every line of every process is an object of its own."""
    lines = [json.loads(line) for line in stages.log().splitlines()]
    assert len(lines) > 10
    return lines


def _require_way(spans: list[Span], session: str, told: list[glosses.Event]) -> None:
    """At least one frame can be followed from its capture to a final gloss that its viewers were told."""
    by_id = {span.id: span for span in spans}
    final = {event["seq"] for event in glosses.finals(told)}
    ends = [
        span for span in spans if span.name == "transcript" and int(span.said.get("event.seq", 0)) in final
    ]
    assert ends
    for end in ends:
        way = [end]
        while way[0].parent:
            way.insert(0, by_id[way[0].parent])
        assert [span.name for span in way] == WAY
        assert [span.service for span in way] == PLACES
        assert {span.trace for span in way} == {end.trace}
        assert all(before.begun <= after.ended for before, after in itertools.pairwise(way))
        assert {span.said["session"] for span in way} == {session}
        assert "gloss" not in end.said
