"""`signstream recognize`: sends video files up the same road as everyone else and prints what comes back."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from deploy.camera import CameraError, recognize_camera
from deploy.kept import CannotRunError
from deploy.launcher import Launcher, LaunchError
from deploy.redis_server import NoRedisError
from shared import keys
from shared.sessions import OVER
from shared.settings import Settings

log = logging.getLogger(__name__)

Event = dict[str, Any]

FORBIDDEN = (401, 403)

TRIES = 20
PAUSE_SECONDS = 0.5
"""A gateway that was killed is back in a few seconds; the upload is then repeated under the same id."""


class RecognizeError(RuntimeError):
    """A file or an option was refused, or the server cannot be reached; says which and why."""


async def recognize_videos(
    settings: Settings,
    videos: Sequence[Path],
    query: Mapping[str, str],
    server: str | None,
    *,
    as_json: bool,
    failed: list[bool],
) -> None:
    """Prints every video's glosses; appends to `failed` whether each video's session failed.

    `query` goes along with each upload. Starts its own stages where no server is named. RecognizeError.
    """
    for video in videos:
        if not video.is_file():
            raise RecognizeError(f"{video}: no such file")
    async with _client(settings, server) as http:
        for video in videos:
            if len(videos) > 1 and not as_json:
                print(f"{video}:", flush=True)
            last: Event = {}
            async for event in _events_of(http, video, query):
                _show(event, as_json=as_json)
                last = event if event["type"] == "session" else last
            if last["state"] == "failed":
                log.error("%s: %s", video, last["reason"])
            failed.append(last["state"] == "failed")


async def recognize_camera_of(
    settings: Settings,
    camera: str,
    models: str | None,
    server: str | None,
    *,
    as_json: bool,
    failed: list[bool],
) -> None:
    """Prints what is signed before a camera of this machine until it ends or this is cancelled.

    As `recognize_videos` otherwise.
    """
    async with _client(settings, server) as http:
        try:
            state = await recognize_camera(http, camera, models, lambda event: _show(event, as_json=as_json))
        except CameraError as error:
            raise RecognizeError(str(error)) from error
        failed.append(state == "failed")


@contextlib.asynccontextmanager
async def _client(settings: Settings, server: str | None) -> AsyncIterator[aiohttp.ClientSession]:
    """Of the server that is named, or of one that is started for this."""
    async with contextlib.AsyncExitStack() as stack:
        if server is None:
            try:
                launcher = await stack.enter_async_context(Launcher(settings).running())
            except (LaunchError, CannotRunError, NoRedisError) as error:
                raise RecognizeError(str(error)) from error
            server = launcher.url
        headers = {"Authorization": f"Bearer {settings.token}"} if settings.token else {}
        base = server.rstrip("/")
        yield await stack.enter_async_context(aiohttp.ClientSession(base_url=base, headers=headers))


def _show(event: Event, *, as_json: bool) -> None:
    if event["type"] == "dropped":
        log.warning("dropped %d %s: %s", event["count"], event["what"], event["reason"])
    if event["type"] != "gloss":
        return
    if as_json:
        print(json.dumps(event, ensure_ascii=False), flush=True)
    elif event["status"] == "final":
        span = f"{event['start']:7.2f} s  to {event['end']:7.2f} s"
        print(f"{span}   {event['gloss']:<16} {event['confidence']:4.0%}", flush=True)


async def _events_of(
    http: aiohttp.ClientSession, video: Path, query: Mapping[str, str]
) -> AsyncIterator[Event]:
    """The session's events, each once, through a gateway that dies and comes back."""
    session, after, tries = keys.new_session_id(), 0, 0
    while True:
        try:
            await _upload(http, video, {"session": session, **query})
            async with http.ws_connect(f"/sessions/{session}/events?after={after}") as socket:
                async for message in socket:
                    event: Event = message.json()
                    after, tries = event["seq"], 0
                    yield event
                    if event["type"] == "session" and event["state"] in OVER:
                        return
            if socket.close_code and 4400 <= socket.close_code < 4500:
                raise RecognizeError(f"{video}: the server lost the session (code {socket.close_code})")
        except (aiohttp.ClientConnectionError, aiohttp.WSServerHandshakeError, ConnectionError) as error:
            tries += 1
            if getattr(error, "status", 0) in FORBIDDEN:
                raise RecognizeError(f"{video}: the token is not for its glosses: {error}") from error
            if tries == TRIES:
                raise RecognizeError(f"{video}: cannot reach the server: {error}") from error
        await asyncio.sleep(PAUSE_SECONDS)


async def _upload(http: aiohttp.ClientSession, video: Path, query: Mapping[str, str]) -> None:
    with video.open("rb") as body:
        async with http.post("/videos", params=query, data=body) as answer:
            if answer.status >= 400:
                said = await answer.text()
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    said = json.loads(said)["error"]
                if answer.status >= 500:
                    raise aiohttp.ClientConnectionError(said)
                raise RecognizeError(f"{video}: {said}")
