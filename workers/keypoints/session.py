"""One session, from claim to end."""

import asyncio
import contextlib
import dataclasses
import logging
import time

from shared import sessions
from shared.claims import Claim
from shared.fence import SessionGoneError
from shared.messages import Last, Note
from shared.sessions import Session
from workers.keypoints.attempts import DOUBT_SECONDS, Attempts
from workers.keypoints.checkpoint import BadCheckpointError, Checkpoint
from workers.keypoints.decoder import UnknownCodecError
from workers.keypoints.journal import Journal
from workers.keypoints.owner import Owner, StoppedError
from workers.keypoints.resumed import RefusedError
from workers.keypoints.workplace import Workplace

log = logging.getLogger(__name__)

DOUBT_LOOK_SECONDS = 0.25
"""Looks this often whether an owner that stood still is back."""


async def own_session(place: Workplace, claim: Claim) -> bool:
    """Serves a session to its end (True: acknowledge it), or until told to stop or the claim is lost (False).

    Raises FencedOffError or SessionGoneError at once when it is another's or gone, and RedisError or
    TimeoutError when Redis or the broker stays away: a successor goes on from the last checkpoint.
    """
    session = await sessions.load(place.store, claim.session)
    if session is None:
        raise SessionGoneError(f"session {claim.session} is not in Redis any more")
    if session.state in sessions.OVER:
        return True
    try:
        return await _own(place, claim, session)
    except StoppedError:
        return False


async def _own(place: Workplace, claim: Claim, session: Session) -> bool:
    journal = Journal(place.store, session.id, claim.fence)
    checkpoint: Checkpoint | None = None
    try:
        checkpoint, attempts = await journal.take()
        if checkpoint is not None and checkpoint.done:
            return True
        await _require_survivors(place, claim, journal, attempts)
        owner = Owner(place, claim, session, journal, checkpoint, attempts)
    except (RefusedError, UnknownCodecError, BadCheckpointError) as error:
        await _refuse(journal, session, str(error), checkpoint or Checkpoint())
        return True
    try:
        return await owner.run(first=checkpoint is None)
    except RefusedError as error:
        await _refuse(journal, session, str(error), owner.checkpoint())
        return True
    finally:
        await owner.close()


async def _require_survivors(place: Workplace, claim: Claim, journal: Journal, attempts: Attempts) -> None:
    """Raises RefusedError where too many owners ended at this session's input; those that are only late are
    given time to say so."""
    until = time.monotonic() + DOUBT_SECONDS
    while attempts.why_ended() and not attempts.why_late() and time.monotonic() < until:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(place.stop.wait(), DOUBT_LOOK_SECONDS)
        if place.stop.is_set() or claim.lost.is_set():
            raise StoppedError
        _, attempts = await journal.take()
    if reason := attempts.why_late() or attempts.why_ended():
        raise RefusedError(reason)


async def _refuse(journal: Journal, session: Session, reason: str, reached: Checkpoint) -> None:
    log.warning("session %s failed: %s", session.id, reason)
    notes: list[Note | Last] = [Note(state=sessions.FAILED, reason=reason)]
    notes += [Last(model, reached.last.get(model, -1)) for model in session.models]
    await journal.reach(dataclasses.replace(reached, owner=journal.owner, done=True), notes)
