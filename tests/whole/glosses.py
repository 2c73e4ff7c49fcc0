"""Asking a running Signstream for glosses."""

import asyncio
import io
from pathlib import Path
from typing import Any

import aiohttp

Event = dict[str, Any]

END_SECONDS = 100.0


async def upload(http: aiohttp.ClientSession, video: Path, **query: str) -> str:
    """Sends a file; returns its session's id."""
    async with http.post("/videos", data=io.BytesIO(video.read_bytes()), params=query) as answer:
        assert answer.status == 202, await answer.text()
        return answer.headers["Location"].removeprefix("/sessions/")


async def events(http: aiohttp.ClientSession, session: str) -> list[Event]:
    """Every event of a session, once it has ended."""
    told: list[Event] = []
    async with asyncio.timeout(END_SECONDS), http.ws_connect(f"/sessions/{session}/events") as socket:
        async for message in socket:
            told.append(message.json())
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
    return told


def finals(told: list[Event]) -> list[Event]:
    """The final glosses among them."""
    return [event for event in told if event["type"] == "gloss" and event["status"] == "final"]


def words(told: list[Event]) -> list[str]:
    """The final glosses' words."""
    return [event["gloss"] for event in finals(told)]


def spans(told: list[Event]) -> list[float]:
    """Start and end of every final gloss, in one row."""
    return [time for event in finals(told) for time in (event["start"], event["end"])]
