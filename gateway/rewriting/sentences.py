"""`POST /sessions/{id}/sentence`: glosses as a line, rewritten where the operator allows it."""

import collections
import json
from collections.abc import Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.results import captions, log
from gateway.rewriting.endpoint import Endpoint, RewriteError
from gateway.state import Gateway, gateway_of
from shared.settings import Settings

MOST_GLOSSES = 60
"""Of one sentence; what is signed without a pause for longer is more than one."""

LARGEST_BODY = 4096

CONTEXT = 3
"""Sentences before, so that a pronoun or a tense may follow from them."""

SESSIONS = 1000
"""Whose sentences are remembered by this process; of others the context begins anew."""


class Sentences:
    """The operator's service, if there is one, and what it made of the last sentences of each session."""

    def __init__(self, settings: Settings) -> None:
        self.endpoint = Endpoint(settings) if settings.rewrite_url else None
        self._before: collections.OrderedDict[str, collections.deque[str]] = collections.OrderedDict()

    async def rewritten(self, session: str, glosses: Sequence[str], language: str) -> str:
        """Raises RewriteError."""
        if self.endpoint is None:
            raise RewriteError("this server rewrites nothing")
        before = self._before.setdefault(session, collections.deque(maxlen=CONTEXT))
        self._before.move_to_end(session)
        while len(self._before) > SESSIONS:
            self._before.popitem(last=False)
        sentence = await self.endpoint.sentence(glosses, tuple(before), language)
        before.append(sentence)
        return sentence


def _sentences(request: Request) -> Sentences:
    found: Sentences = request.app.state.sentences
    return found


async def describe(request: Request) -> Response:
    """`GET /rewriting`: whether sentences can be rewritten, and by which model."""
    endpoint = _sentences(request).endpoint
    return JSONResponse({"on": endpoint is not None, "model": endpoint.model if endpoint else ""})


async def sentence(request: Request) -> Response:
    """The final glosses of a model that begin in a stretch of media time; rewritten if asked for."""
    gateway, asked = gateway_of(request), await _asked(request)
    session = await log.known(gateway.store, request.path_params["id"])
    model = asked["model"] or session.models[0]
    finals = captions.finals(await log.so_far(gateway.store, session.id))
    glosses = [
        str(gloss["gloss"])
        for gloss in finals
        if gloss["model"] == model and asked["start"] <= gloss["start"] <= asked["end"]
    ][:MOST_GLOSSES]
    told = {"glosses": glosses, "line": " ".join(glosses), "sentence": None, "by": "", "reason": ""}
    if asked["rewrite"] and glosses:
        told.update(await _rewritten(request, session.id, glosses, _language(gateway, model)))
    return JSONResponse(told)


async def _rewritten(request: Request, session: str, glosses: list[str], language: str) -> dict[str, Any]:
    kept = _sentences(request)
    try:
        text = await kept.rewritten(session, glosses, language)
    except RewriteError as error:
        return {"reason": str(error)}
    return {"sentence": text, "by": kept.endpoint.model if kept.endpoint else ""}


def _language(gateway: Gateway, model: str) -> str:
    bundle = gateway.models.get(model)
    return bundle.language if bundle else "en"


async def _asked(request: Request) -> dict[str, Any]:
    """The body: `start` and `end` in seconds, `model`, `rewrite`; all may be left out."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise HTTPException(413, f"at most {LARGEST_BODY} bytes are needed to ask for a sentence")
    try:
        fields = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body is no JSON: {error}") from error
    wanted: dict[str, tuple[Any, Any]] = {
        "start": (0.0, (int, float)),
        "end": (1e9, (int, float)),
        "model": ("", str),
        "rewrite": (False, bool),
    }
    if not isinstance(fields, dict) or fields.keys() - wanted.keys():
        raise HTTPException(400, f"an object with {', '.join(wanted)} is expected")
    asked = {}
    for name, (otherwise, kind) in wanted.items():
        asked[name] = fields.get(name, otherwise)
        if not isinstance(asked[name], kind) or (kind is not bool and isinstance(asked[name], bool)):
            raise HTTPException(400, f"{name} is {type(asked[name]).__name__}, expected like {otherwise!r}")
    return asked


ROUTES = [
    Route("/rewriting", describe),
    Route("/sessions/{id}/sentence", sentence, methods=["POST"]),
]
