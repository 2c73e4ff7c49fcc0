"""The cameras connected to this process."""

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Iterator
from types import TracebackType
from typing import Any, cast

import redis.asyncio
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import OperationError

from gateway.ingest import aiortc_private, ice
from gateway.ingest.camera import Camera
from gateway.ingest.offers import Fragment, Offer, OfferError
from gateway.ingest.pipeline import Pipeline
from shared import fence, sessions
from shared.sessions import Session
from shared.settings import Settings

log = logging.getLogger(__name__)

START_SHARE = 0.75
"""Of the bit rate asked for: what Chromium is told to begin with, for it begins at 300 kbit/s by itself."""


class Cameras:
    """Makes, finds and ends this process's cameras. An async context manager: leaving it ends them all.

    Make it inside the running event loop. Raises AiortcChangedError when another aiortc is installed.
    """

    def __init__(self, settings: Settings, store: redis.asyncio.Redis) -> None:
        aiortc_private.check()
        self._settings = settings
        self._store = store
        self._pipeline = Pipeline(store)
        self._cameras: dict[str, Camera] = {}
        self._watchers: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._cameras)

    def __iter__(self) -> Iterator[Camera]:
        return iter(self._cameras.values())

    async def __aenter__(self) -> "Cameras":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends every camera's session with the reason "server stopped"."""
        await asyncio.gather(*(camera.close("server stopped") for camera in list(self._cameras.values())))
        await asyncio.gather(*self._watchers, return_exceptions=True)
        await self._pipeline.aclose()

    def find(self, session_id: str) -> Camera | None:
        """The camera of a session, if this process holds it."""
        return self._cameras.get(session_id)

    async def open(self, offer: Offer, models: tuple[str, ...], session_id: str) -> Camera:
        """Makes a session and the peer that fills it; the answer is in `camera.peer.localDescription`.

        Raises OfferError (400, 406, 409) or ice.NoAddressError, and then leaves nothing behind but, where the
        session was made already, its end.
        """
        peer = ice.new_peer()
        try:
            transceiver, codecs = await self._negotiate(peer, offer)
            codec = str(codecs[0].name).lower()
            session = Session(id=session_id, mode="live", models=models, codec=codec)
            if not await sessions.create(self._store, session):
                raise OfferError(409, f"session {session_id} is already in use")
            taken = await fence.take_writer(self._store, session_id)
            camera = Camera(self._store, self._pipelined(taken), peer)
        except BaseException:
            with contextlib.suppress(Exception):
                await peer.close()
            raise
        camera.attach(transceiver.receiver, codecs, self._settings.video_bitrate)
        camera.start()
        self._cameras[session_id] = camera
        watcher = asyncio.create_task(self._forget_when_over(camera), name=f"camera {session_id} watcher")
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)
        try:
            await self._answer(peer)
        except BaseException as error:
            await camera.close(f"camera could not be answered: {error}")
            raise
        log.info("session %s: camera answered with %s", session_id, codec)
        return camera

    async def add_candidates(self, camera: Camera, fragment: Fragment) -> None:
        """Trickled candidates. Raises OfferError 400 on one that cannot be used."""
        try:
            for candidate in fragment.candidates:
                await camera.peer.addIceCandidate(candidate)
            if fragment.complete:
                await camera.peer.addIceCandidate(None)
        except ValueError as error:
            raise OfferError(400, f"unusable candidate: {error}") from error

    def _pipelined(self, taken: fence.Fence) -> fence.Fence:
        """The same fence; what is written under it goes to Redis together with other cameras' frames."""
        return dataclasses.replace(taken, store=cast(redis.asyncio.Redis, self._pipeline))

    async def _negotiate(self, peer: RTCPeerConnection, offer: Offer) -> tuple[Any, list[Any]]:
        try:
            await peer.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
        except OperationError as error:
            raise OfferError(
                406, f"no codec in common; VP8 or H.264 (Constrained Baseline) is needed: {error}"
            ) from error
        except Exception as error:
            raise OfferError(400, f"the offer cannot be used: {type(error).__name__} {error}") from error
        camera = next(t for t in peer.getTransceivers() if t.mid == offer.mid)
        for transceiver in peer.getTransceivers():
            if transceiver is not camera:
                transceiver.direction = "inactive"
        camera.direction = "recvonly"
        return camera, self._choose_codec(camera)

    def _choose_codec(self, transceiver: Any) -> list[Any]:
        """The client's first choice, then its retransmissions. PyAV has the same names, in lower case."""
        common = aiortc_private.codecs(transceiver)
        chosen = next(codec for codec in common if codec.name.lower() != "rtx")
        start_kbit = int(self._settings.video_bitrate * START_SHARE / 1000)
        chosen.parameters = {**chosen.parameters, "x-google-start-bitrate": str(start_kbit)}
        again = [codec for codec in common if codec.parameters.get("apt") == chosen.payloadType]
        aiortc_private.keep_codecs(transceiver, [chosen, *again])
        return [chosen, *again]

    async def _answer(self, peer: RTCPeerConnection) -> None:
        ice.gather_on(peer, self._settings.ice_address_list)
        await peer.setLocalDescription(await peer.createAnswer())
        ice.require_candidates(peer, self._settings.ice_address_list)

    async def _forget_when_over(self, camera: Camera) -> None:
        try:
            await camera.wait_over()
        finally:
            self._cameras.pop(camera.session, None)
