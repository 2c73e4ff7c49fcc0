"""The cameras connected to this process."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterator
from typing import Any

import redis.asyncio
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import OperationError
from redis.exceptions import RedisError

from gateway.ingest import aiortc_private, comeback, ice, resource
from gateway.ingest.camera import Camera
from gateway.ingest.channels import Channels, Message
from gateway.ingest.comeback import Comeback
from gateway.ingest.offers import USABLE_CODECS, Offer, OfferError, unusable
from gateway.ingest.pipeline import Pipeline
from gateway.ingest.resource import Answered, Asked
from shared import keys, sessions
from shared.sessions import Session
from shared.settings import Settings

log = logging.getLogger(__name__)

START_SHARE = 0.75
"""Of the bit rate asked for: what Chromium is told to begin with, for it begins at 300 kbit/s by itself."""


MOST_AT_WORK = 4096
"""Cameras and answers under way; what another replica forwards beyond that waits for its 504."""


class UnknownCameraError(Exception):
    """No session with this id has a camera, here or elsewhere."""


class StoppingError(Exception):
    """This process was told to stop while it answered."""


class Cameras:
    """Makes, finds and ends this process's cameras. `aclose()` lets them all go.

    Make it inside the running event loop. Raises AiortcChangedError when another aiortc is installed.
    """

    def __init__(self, settings: Settings, store: redis.asyncio.Redis) -> None:
        aiortc_private.check()
        self._settings = settings
        self._store = store
        self._pipeline = Pipeline(store)
        self._channels = Channels(store)
        self._cameras: dict[str, Camera] = {}
        self._watchers: set[asyncio.Task[None]] = set()
        self._leaving = False

    def __len__(self) -> int:
        return len(self._cameras)

    def __iter__(self) -> Iterator[Camera]:
        return iter(self._cameras.values())

    async def aclose(self) -> None:
        """Lets every camera go, and what they share."""
        await self.leave()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        await self._channels.aclose()
        await self._pipeline.aclose()

    def find(self, session_id: str) -> Camera | None:
        """The camera of a session, if this process holds it."""
        return self._cameras.get(session_id)

    async def open(
        self,
        offer: Offer,
        models: tuple[str, ...],
        session_id: str,
        secret: str | None = None,
        *,
        mirrored: bool = False,
    ) -> Camera:
        """Makes a session and the peer that fills it; the answer is in `camera.peer.localDescription`.

        With the secret of a session's camera it goes on with that session instead, and `models` must be the
        session's or none. Raises OfferError (400, 406, 409), ice.NoAddressError, StoppingError or
        RedisError, and then leaves nothing behind but, where the session was made already, its end.
        """
        back = await self._comeback(session_id, secret, models) if secret is not None else None
        peer = ice.new_peer(self._settings)
        try:
            transceiver, codecs = await self._negotiate(peer, offer, back)
            codec = str(codecs[0].name).lower()
            if secret is None:
                session = Session(id=session_id, mode="live", models=models, codec=codec, mirrored=mirrored)
                fence, secret = await comeback.begin(self._store, session)
            else:
                fence = await comeback.take(self._store, session_id)
            camera = Camera(self._channels, self._pipeline.carrying(fence), peer, secret)
        except BaseException:
            with contextlib.suppress(Exception):
                await peer.close()
            raise
        clock = back.clock() if back is not None else None
        camera.attach(transceiver.receiver, codecs, self._settings.video_bitrate, clock)
        self._start(camera)
        try:
            await self._answer(peer)
            if self._leaving:
                raise StoppingError("this server is stopping")
        except BaseException as error:
            let_go = camera.close if back is None else camera.leave
            await let_go(f"camera could not be answered: {error}")
            raise
        log.info("session %s: camera %s with %s", session_id, "back" if back else "answered", codec)
        return camera

    def _start(self, camera: Camera) -> None:
        """In the place of one that held its session before."""
        before = self._cameras.get(camera.session)
        self._cameras[camera.session] = camera
        if before is not None:
            self._watch(before.leave("the camera came back"), f"camera {camera.session} before")
        camera.on_forwarded = self._on_forwarded
        camera.start()
        self._watch(self._forget_when_over(camera), f"camera {camera.session} watcher")

    async def ask(self, session_id: str, asked: Asked) -> Answered:
        """PATCH or DELETE of a session's camera, wherever it is.

        Raises resource.NoAnswerError when no replica answers, RedisError, and UnknownCameraError.
        """
        camera = self._cameras.get(session_id)
        if camera is not None:
            return await resource.answer(camera, asked)
        fields = ["mode", "state", sessions.END_TOLD]
        mode, state, ended = await self._store.hmget(keys.session(session_id), fields)
        if mode != b"live" or ended or any(state == over.encode() for over in sessions.OVER):
            raise UnknownCameraError(f"no camera publishes session {session_id}")
        return await resource.forward(self._channels, session_id, asked)

    def _on_forwarded(self, camera: Camera, message: Message) -> None:
        if message["type"] == resource.FORWARDED and len(self._watchers) < MOST_AT_WORK:
            self._watch(self._reply(camera, message), f"camera {camera.session} reply")

    async def _reply(self, camera: Camera, message: Message) -> None:
        try:
            await resource.reply(self._channels, camera, message)
        except RedisError as error:
            log.warning("session %s: could not answer what was forwarded: %s", camera.session, error)

    async def _comeback(self, session_id: str, secret: str, models: tuple[str, ...]) -> Comeback:
        found = await comeback.find(self._store, session_id, secret)
        comeback.require_models(found.session, models)
        return found

    def _watch(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)

    async def _negotiate(
        self, peer: RTCPeerConnection, offer: Offer, back: Comeback | None
    ) -> tuple[Any, list[Any]]:
        try:
            await peer.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
        except OperationError as error:
            raise OfferError(
                406, f"no codec in common; VP8 or H.264 (Constrained Baseline) is needed: {error}"
            ) from error
        except Exception as error:
            raise unusable(error) from error
        camera = next(t for t in peer.getTransceivers() if t.mid == offer.mid)
        for transceiver in peer.getTransceivers():
            if transceiver is not camera:
                transceiver.direction = "inactive"
        camera.direction = "recvonly"
        return camera, self._choose_codec(camera, back.session.codec if back else None)

    def _choose_codec(self, transceiver: Any, only: str | None) -> list[Any]:
        """The client's first choice, then its retransmissions. PyAV has the same names, in lower case.

        A session that goes on keeps its codec: the decoder of its worker knows no other.
        """
        common = aiortc_private.codecs(transceiver)
        pictures = [codec for codec in common if codec.name.lower() in ({only} if only else USABLE_CODECS)]
        if not pictures:
            raise OfferError(406, f"the session is in {str(only).upper()}, which the offer does not have")
        chosen = pictures[0]
        start_kbit = int(self._settings.video_bitrate * START_SHARE / 1000)
        chosen.parameters = {**chosen.parameters, "x-google-start-bitrate": str(start_kbit)}
        again = [codec for codec in common if codec.parameters.get("apt") == chosen.payloadType]
        aiortc_private.keep_codecs(transceiver, [chosen, *again])
        return [chosen, *again]

    async def _answer(self, peer: RTCPeerConnection) -> None:
        ice.gather(peer, self._settings)
        try:
            answer = await peer.createAnswer()
        except Exception as error:
            raise unusable(error) from error
        if "a=setup:actpass" in peer.remoteDescription.sdp:
            # As the DTLS client aiortc only takes ECDSA certificates, and GStreamer's is RSA.
            passive = answer.sdp.replace("a=setup:active", "a=setup:passive")
            answer = RTCSessionDescription(passive, "answer")
        await peer.setLocalDescription(answer)
        ice.require_candidates(peer, self._settings)

    async def leave(self) -> None:
        """Lets every camera go without ending its session, and takes none: they come back to replicas."""
        self._leaving = True
        leaving = [camera.leave("the server is stopping") for camera in list(self._cameras.values())]
        await asyncio.gather(*leaving)

    async def _forget_when_over(self, camera: Camera) -> None:
        try:
            await camera.wait_over()
        finally:
            if self._cameras.get(camera.session) is camera:
                del self._cameras[camera.session]
