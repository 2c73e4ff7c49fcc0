"""What wrong tokens cost a live session: `python -m loadtests.wrong_tokens CLIP --rates 100 1000`.

Runs all of Signstream with a key and one camera that plays CLIP, and measures by turns without and with so
many wrong tokens a second, sent from many addresses so that none is refused for its address alone.
"""

import argparse
import asyncio
import collections
import contextlib
import dataclasses
import itertools
import json
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import uvloop
from prometheus_client.parser import text_string_to_metric_families

from deploy.bench.sender import Camera, publish
from deploy.launcher import Launcher
from loadtests.film import payloads
from shared import settings

ADDRESSES = 2000
"""127.1.x.y, all this machine's own: at 1,000 a second each sends one every two seconds, within its limit."""

CONNECTIONS = 4
"""At a time; one that is closed is opened again from the next address."""

SETTLE_SECONDS = 1.0
WARM_UP_SECONDS = 8.0


@dataclasses.dataclass(frozen=True)
class Figures:
    """What the session and the gateway did in a stretch of time."""

    wrong_per_second: float
    frame_age_ms: float
    gloss_ms: float
    gateway_cores: float
    worker_cores: float
    frames_landmarked: float
    """A second."""
    refused: dict[str, float]


def token(key: str, **claims: Any) -> str:
    """One that is good, but for what is given."""
    good = {"aud": "signstream", "exp": time.time() + 3600, "grants": ["publish", "subscribe"], **claims}
    return jwt.encode(good, key, "HS256")


def wrong_tokens(key: str) -> list[str]:
    """Of every kind: another key, expired, another audience, no algorithm, cut short."""
    return [
        token(secrets.token_hex(32)),
        token(key, exp=time.time() - 600),
        token(key, aud="elsewhere"),
        jwt.encode({"aud": "signstream", "exp": 2e9, "grants": ["admin"]}, "", "none"),
        token(key)[:-4],
    ]


async def attack(port: int, rate: float, wrong: list[str]) -> None:
    """Sends for ever, evenly; prints the first answer's status."""
    numbers = itertools.count()
    requests = [
        f"GET /sessions/nobody-has-this-id-1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {one}\r\n\r\n".encode()
        for one in wrong
    ]
    begun = time.monotonic()

    async def send_in_turn() -> None:
        for number in numbers:
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
            at = number % ADDRESSES
            here = (f"127.1.{at // 250}.{at % 250 + 1}", 0)
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=here)
            writer.write(requests[number % len(requests)])
            status = int((await reader.readuntil(b"\r\n")).split()[1])
            writer.close()
            if not number:
                print(status, flush=True)

    await asyncio.gather(*(send_in_turn() for _ in range(CONNECTIONS)))


async def send(camera: Camera, film: list[list[bytes]]) -> None:
    """The film over and over, until cancelled."""
    while True:
        camera.send(film[camera.frame % len(film)])
        await asyncio.sleep(max(0.0, camera.due - time.monotonic()))


async def told(http: aiohttp.ClientSession, port: int) -> dict[str, float]:
    """Sums of a process's metrics by name, those of refusals by status."""
    async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        families = text_string_to_metric_families(await answer.text())
    sums: dict[str, float] = collections.defaultdict(float)
    for family in families:
        for sample in family.samples:
            status = sample.labels.get("status", "") if "refused" in sample.name else ""
            sums[sample.name + status] += sample.value
    return sums


async def measure(
    http: aiohttp.ClientSession, ports: tuple[int, int], rate: float, seconds: float
) -> Figures:
    """Of so many seconds; `ports` are the gateway's and the keypoint worker's for metrics."""
    before = [await told(http, port) for port in ports]
    begun = time.monotonic()
    await asyncio.sleep(seconds)
    after = [await told(http, port) for port in ports]
    wall = time.monotonic() - begun

    def grew(process: int, name: str) -> float:
        return after[process][name] - before[process][name]

    def mean_ms(process: int, name: str) -> float:
        return 1000 * grew(process, name + "_sum") / max(1.0, grew(process, name + "_count"))

    name = "signstream_requests_refused_total"
    return Figures(
        rate,
        round(mean_ms(1, "signstream_frame_age_seconds"), 2),
        round(mean_ms(0, "signstream_glass_to_gloss_seconds"), 2),
        round(grew(0, "process_cpu_seconds_total") / wall, 4),
        round(grew(1, "process_cpu_seconds_total") / wall, 4),
        round(grew(1, "signstream_frames_landmarked_total") / wall, 2),
        {status: round(grew(0, name + status) / wall, 1) for status in ("401", "403", "429")},
    )


@contextlib.asynccontextmanager
async def attacking(port: int, rate: float, key: str) -> AsyncIterator[None]:
    """From a process of its own, inside."""
    if not rate:
        yield
        return
    command = (sys.executable, "-m", "loadtests.wrong_tokens", "--attack", str(port), "--rates", str(rate))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(wrong_tokens(key)).encode() + b"\n")
    try:
        assert int(await process.stdout.readline()) == 401
        yield
    finally:
        process.kill()
        await process.wait()


async def run(clip: Path, rates: list[float], seconds: float, rounds: int) -> dict[str, Any]:
    """Every rate by turns with none, `rounds` times, after a warm-up."""
    film, key = await asyncio.to_thread(payloads, clip), secrets.token_hex(32)
    found: list[Figures] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "key"
        path.write_text(key)
        first = random.randrange(20_000, 30_000, 10)
        config = settings.load(
            port=0, token_keys=str(path), keypoint_workers=1, metrics_port=first, log_level="WARNING"
        )
        async with Launcher(config).running() as launcher:
            headers = {"Authorization": f"Bearer {token(key)}"}
            async with aiohttp.ClientSession(launcher.url, headers=headers) as http:
                peer, _ = await publish(http, "")
                sending = asyncio.create_task(send(Camera(peer, 0.0), film))
                await asyncio.sleep(WARM_UP_SECONDS)
                port = int(launcher.url.rsplit(":", 1)[1])
                turns = [turn for _ in range(rounds) for each in rates for turn in (0.0, each)]
                for rate in [*turns, 0.0]:
                    async with attacking(port, rate, key):
                        await asyncio.sleep(SETTLE_SECONDS)
                        found.append(await measure(http, (first, first + 2), rate, seconds))
                        print(json.dumps(dataclasses.asdict(found[-1])), flush=True)
                sending.cancel()
                await peer.close()
    return {"runs": [dataclasses.asdict(one) for one in found], "slower": slower(found)}


def slower(found: list[Figures]) -> dict[str, dict[str, float]]:
    """By rate: percent by which latencies rose, and cores the gateway took more, against the runs around.

    The median over the rounds.
    """
    by_rate: dict[str, list[dict[str, float]]] = collections.defaultdict(list)
    for before, attacked, after in zip(found[::2], found[1::2], found[2::2], strict=False):
        percent = {}
        for name in ("frame_age_ms", "gloss_ms"):
            calm = (getattr(before, name) + getattr(after, name)) / 2
            percent[name.replace("_ms", "_percent")] = 100 * (getattr(attacked, name) / max(calm, 1e-9) - 1)
        cores = attacked.gateway_cores - (before.gateway_cores + after.gateway_cores) / 2
        by_rate[f"{attacked.wrong_per_second:g}"].append({**percent, "gateway_cores": cores})
    return {
        rate: {name: round(statistics.median(each[name] for each in rounds), 3) for name in rounds[0]}
        for rate, rounds in by_rate.items()
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--rates", type=float, nargs="+", default=[100.0, 1000.0])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--attack", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.attack:
        uvloop.run(attack(given.attack, given.rates[0], json.loads(sys.stdin.readline())))
    elif given.clip is None:
        parser.error("a CLIP is needed: a video of somebody signing")
    else:
        print(json.dumps(uvloop.run(run(given.clip, given.rates, given.seconds, given.rounds)), indent=1))


if __name__ == "__main__":
    main()
