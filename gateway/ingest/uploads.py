"""`POST /videos`: a file in, a session out."""

import asyncio
import logging
from typing import IO

import redis.asyncio
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.admission import admit_file
from gateway.errors import chosen_models, chosen_session_id, says_mirrored
from gateway.ingest.demux import UnreadableVideoError, VideoFacts, probe
from gateway.ingest.feed import Feed, in_thread
from gateway.ingest.spool import BodyError, spool
from gateway.state import gateway_of
from shared import fence, sessions, tasks
from shared.fence import FencedOffError, SessionGoneError
from shared.sessions import Session
from shared.settings import Settings
from shared.telemetry import SESSION

log = logging.getLogger(__name__)


class Uploads:
    """The files on their way into their sessions. `aclose()` stops them.

    A session whose upload was stopped is repeated by its client under the same id, or ended by others.
    """

    def __init__(self, settings: Settings, store: redis.asyncio.Redis) -> None:
        self._settings = settings
        self._store = store
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    async def aclose(self) -> None:
        """Stops every upload and waits until its file is closed."""
        await tasks.end(*self._tasks)

    async def begin(self, session: Session, file: IO[bytes]) -> Session:
        """Makes the session, or becomes the new writer of the one that is there, and reads the file into it.

        The file is closed here, whatever comes. Raises HTTPException 409 when the id is something else's.
        """
        try:
            if not await sessions.create(self._store, session):
                there = await sessions.load(self._store, session.id)
                if there is not None and there.state in sessions.OVER:
                    file.close()
                    return there
                session = _same_file(there, session)
            writer = await fence.take_writer(self._store, session.id)
        except SessionGoneError as error:
            file.close()
            raise HTTPException(409, f"session {session.id} has just expired; repeat the upload") from error
        except BaseException:
            file.close()
            raise
        feed = Feed(self._store, session, writer, file, self._settings.upload_seconds)
        task = asyncio.create_task(self._run(session.id, feed), name=f"upload {session.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: file.close())
        return session

    async def _run(self, session_id: str, feed: Feed) -> None:
        SESSION.set(session_id)
        try:
            await self._feed(session_id, feed)
        except FencedOffError:
            log.info("session %s: its upload was repeated; this one stops", session_id)
        except SessionGoneError:
            log.warning("session %s: gone from Redis before its file was read", session_id)
        except RedisError as error:
            log.error("session %s: Redis stayed away, upload stopped: %s", session_id, error)

    async def _feed(self, session_id: str, feed: Feed) -> None:
        try:
            await feed.run()
        except (FencedOffError, SessionGoneError, RedisError):
            raise
        except Exception:
            log.exception("session %s: its upload failed", session_id)
            await feed.give_up("the server failed")


async def upload(request: Request) -> Response:
    """`POST /videos?models=a,b&session=ID&mirrored=true`: the body is the file, or a form's field `file`."""
    gateway = gateway_of(request)
    models = chosen_models(gateway, request.query_params.get("models"))
    session_id = chosen_session_id(request.query_params.get("session"))
    mirrored = says_mirrored(request.query_params.get("mirrored"))
    uploads: Uploads = request.app.state.uploads
    try:
        there = await sessions.load(gateway.store, session_id)
        if there is not None and there.mode != "file":
            raise HTTPException(409, f"session {session_id} belongs to a camera")
        if there is None or gateway.draining.is_set():
            await admit_file(gateway)
        file = await spool(
            request.stream(),
            request.headers.get("content-type", ""),
            _content_length(request),
            gateway.settings.upload_bytes,
        )
        facts = await _probe(file, gateway.settings)
        session = await uploads.begin(facts.session(session_id, models, mirrored=mirrored), file)
    except (BodyError, UnreadableVideoError) as error:
        raise HTTPException(error.status, str(error)) from error
    except ClientDisconnect:
        log.info("session %s: its client left in mid-upload", session_id)
        return Response(status_code=400)
    answer = {"session": session.id, "state": session.state, "models": list(session.models)}
    return JSONResponse(answer, 202, {"Location": f"/sessions/{session.id}"})


ROUTES = [Route("/videos", upload, methods=["POST"])]


async def _probe(file: IO[bytes], settings: Settings) -> VideoFacts:
    try:
        facts = await in_thread(lambda: probe(file))
        if facts.seconds is not None and facts.seconds > settings.upload_seconds:
            raise UnreadableVideoError(
                413, f"the video lasts {facts.seconds:.0f} s; at most {settings.upload_seconds:g} s are taken"
            )
    except BaseException:
        file.close()
        raise
    return facts


def _same_file(there: Session | None, ours: Session) -> Session:
    """The session that is there, if this file can go on filling it."""
    if there is None:
        raise SessionGoneError(ours.id)
    if there.mode != "file":
        raise HTTPException(409, f"session {ours.id} belongs to a camera")
    for name in ("codec", "extradata", "time_base", "start_pts", "width", "height"):
        if getattr(there, name) != getattr(ours, name):
            raise HTTPException(409, f"session {ours.id} holds another file: its {name} differs")
    return there


def _content_length(request: Request) -> int | None:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None
