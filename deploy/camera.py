"""`signstream recognize --camera`: a camera of this machine, by WebRTC up the same road as a browser's."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer

from shared import keys
from shared.sessions import OVER

log = logging.getLogger(__name__)

Event = dict[str, Any]

PICTURES = {"video_size": "1280x720", "framerate": "30"}
"""What a camera is asked for; one that cannot gives what it has."""

END_SECONDS = 10.0
"""After the camera is off, until the last glosses are told."""

CONNECT_SECONDS = 10.0


class CameraError(RuntimeError):
    """The camera cannot be opened, or the server refuses it; says which and why."""


def opened(camera: str) -> MediaPlayer:
    """The camera of that number, or whatever PyAV opens by that name, played at its own pace.

    Raises CameraError.
    """
    name, kind, options = camera, None, {}
    if camera.isdecimal():
        linux = sys.platform == "linux"
        name, kind = (f"/dev/video{camera}", "v4l2") if linux else (f"{camera}:none", "avfoundation")
        options = PICTURES
    elif camera.startswith("/dev/video"):
        kind, options = "v4l2", PICTURES
    try:
        player = MediaPlayer(name, format=kind, options=options)
    except (OSError, ValueError) as error:  # PyAV's errors are of both
        raise CameraError(f"camera {camera} ({name}) cannot be opened: {error}") from error
    if player.video is None:
        raise CameraError(f"camera {camera} ({name}) has no pictures")
    return player


async def recognize_camera(
    http: aiohttp.ClientSession, camera: str, models: str | None, show: Callable[[Event], None]
) -> str:
    """Shows the events of one session until the camera ends or this is cancelled, then its last ones.

    The state in which the session ended. Raises CameraError.
    """
    player = opened(camera)
    session, peer = keys.new_session_id(), RTCPeerConnection()
    ended = asyncio.Event()
    try:
        place = await _connect(http, peer, player, session, models)
        watching = asyncio.create_task(_watch(http, session, show))
        player.video.on("ended", ended.set)
        ending = asyncio.create_task(ended.wait())
        try:
            await asyncio.wait((watching, ending), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            log.info("The camera is switched off")  # Ctrl-C: what was signed until then is still told
        ending.cancel()
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(END_SECONDS), http.delete(place) as answer:
                await answer.read()
        try:
            return await asyncio.wait_for(watching, END_SECONDS)
        except TimeoutError as error:
            raise CameraError(f"the session did not end within {END_SECONDS:.0f} s") from error
    finally:
        player.video.stop()
        await peer.close()


async def _connect(
    http: aiohttp.ClientSession,
    peer: RTCPeerConnection,
    player: MediaPlayer,
    session: str,
    models: str | None,
) -> str:
    """Publishes the camera (WHIP, RFC 9725); where the session is ended."""
    peer.addTransceiver(player.video, direction="sendonly")
    await peer.setLocalDescription(await peer.createOffer())
    query = {"session": session} | ({"models": models} if models else {})
    headers = {"Content-Type": "application/sdp"}
    body = peer.localDescription.sdp
    try:
        async with (
            asyncio.timeout(CONNECT_SECONDS),
            http.post("/whip", params=query, data=body, headers=headers) as answer,
        ):
            text = await answer.text()
            if answer.status != 201:
                raise CameraError(f"the server refuses the camera: {answer.status} {text.strip()[:300]}")
            place = answer.headers["Location"]
    except (aiohttp.ClientConnectionError, TimeoutError) as error:
        raise CameraError(f"cannot reach the server: {error}") from error
    await peer.setRemoteDescription(RTCSessionDescription(text, "answer"))
    return place


async def _watch(http: aiohttp.ClientSession, session: str, show: Callable[[Event], None]) -> str:
    last: Event = {"state": "failed", "reason": "no event came"}
    async for event in _events(http, session):
        show(event)
        last = event if event["type"] == "session" else last
    if last["state"] == "failed":
        log.error("the session failed: %s", last["reason"])
    return str(last["state"])


async def _events(http: aiohttp.ClientSession, session: str) -> AsyncIterator[Event]:
    """The session's events until it has ended, each once, over as many sockets as it takes."""
    after, tries = 0, 0
    while tries < 20:
        tries += 1
        try:
            async with http.ws_connect(f"/sessions/{session}/events?after={after}") as socket:
                async for message in socket:
                    event: Event = message.json()
                    after, tries = event["seq"], 0
                    yield event
                    if event["type"] == "session" and event["state"] in OVER:
                        return
        except (aiohttp.ClientError, ConnectionError) as error:
            if getattr(error, "status", 0) in (401, 403):
                raise CameraError(f"the token is not for its glosses: {error}") from error
        await asyncio.sleep(0.5)
    raise CameraError("the server is gone")
