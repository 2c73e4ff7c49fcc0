"""Locust's users against a real Signstream, for some seconds."""

import asyncio
import csv
import sys
import time
from pathlib import Path

import av
import pytest

from loadtests.crowd import Crowd
from loadtests.measurements import Measurement
from loadtests.server import server
from loadtests.target import Target

USERS = ("Signer", "Viewer", "Uploader")

RUN_SECONDS = 8
"""A camera of three seconds comes, stays and goes in that on a busy machine too."""


def beginning(clip: Path, out: Path, seconds: float) -> Path:
    """The clip's first seconds as a file of its own: less to encode."""
    with av.open(str(clip)) as source, av.open(str(out), "w") as container:
        stream = source.streams.video[0]
        copied = container.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None and packet.pts * stream.time_base < seconds:
                packet.stream = copied
                container.mux(packet)
    return out


async def both_ways(url: str, clip: Path) -> list[Measurement]:
    """A viewer over a WebSocket and one over server-sent events of one camera, each cut off once."""
    measured: list[Measurement] = []
    async with Crowd(Target(url), clip, measured.append) as crowd:
        await crowd.prepare(["camera"])
        camera = crowd.start("camera", time.monotonic(), 60.0)
        async with asyncio.timeout(20):
            while crowd.lives.choose() is None:
                await asyncio.sleep(0.01)
        now = time.monotonic()
        await asyncio.gather(crowd.start("viewer", now, 2.0), crowd.start("viewer", now, 2.0))
        camera.cancel()
        await asyncio.gather(camera, return_exceptions=True)
    return measured


@pytest.mark.data
async def test_cameras_files_and_viewers_are_measured_and_nothing_is_lost(
    data_path: Path, tmp_path: Path
) -> None:
    clip = beginning(data_path / "videos" / "asl_hello_x2.mp4", tmp_path / "hello.mp4", 2.5)
    async with server(sessions_per_worker=6, keypoint_workers=1) as target:
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-m",
                "locust",
                "-f",
                "loadtests/locustfile.py",
                "Signer",
                "Viewer",
                "Uploader",
            ),
            *("--headless", "--only-summary", "--host", target.url, "--clip", str(clip)),
            *("--users", "5", "--spawn-rate", "6", "--run-time", f"{RUN_SECONDS}s"),
            *("--session-seconds", "3", "--view-seconds", "2", "--upload-every", "3"),
            *("--csv", str(tmp_path / "told")),
        )
        status = await asyncio.wait_for(process.wait(), 100)
        watched = await both_ways(target.url, clip)
        async with asyncio.timeout(30):  # files that are still recognised, for whoever looks later
            while await target.store.xlen("sessions"):
                await asyncio.sleep(0.1)
    with (tmp_path / "told_stats.csv").open(encoding="utf-8") as lines:
        rows = {(row["Type"], row["Name"]): row for row in csv.DictReader(lines)}
    assert {key: row["Failure Count"] for key, row in rows.items() if row["Failure Count"] != "0"} == {}
    assert status == 0
    for key in (
        ("WHIP", "connect"),
        ("WHIP", "end"),
        ("GLASS", "landmarks (frame age)"),
        ("EVENTS", "in order, each once"),
        ("UPLOAD", "accepted"),
    ):
        assert int(rows[key]["Request Count"]) > 0, key
    assert float(rows["GLASS", "landmarks (frame age)"]["Min Response Time"]) > 0
    assert [one for one in watched if one.failure] == []
    assert {one.type for one in watched if one.name == "resumed with its cursor"} == {"WS", "SSE"}
    assert {one.type for one in watched if one.name == "in order, each once"} == {"WS", "SSE", "EVENTS"}
