"""Locust's users against a real Signstream, for some seconds."""

import asyncio
import csv
import sys
from pathlib import Path

import av
import pytest

from loadtests.server import server

USERS = ("Signer", "Viewer", "Uploader")

RUN_SECONDS = 5


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


@pytest.mark.data
async def test_cameras_files_and_viewers_are_measured_and_nothing_is_lost(
    data_path: Path, tmp_path: Path
) -> None:
    clip = beginning(data_path / "videos" / "asl_hello_x2.mp4", tmp_path / "hello.mkv", 2.5)
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
            *("--session-seconds", "4", "--view-seconds", "2", "--upload-every", "3"),
            *("--csv", str(tmp_path / "told")),
        )
        status = await asyncio.wait_for(process.wait(), 100)
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
    assert ("WS", "resumed with its cursor") in rows or ("SSE", "resumed with its cursor") in rows
    assert float(rows["GLASS", "landmarks (frame age)"]["Min Response Time"]) > 0
