"""`GET /models`: what runs, its labels, its model card, and how its signs look."""

import asyncio
import math
from typing import Any

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from gateway.state import Gateway, gateway_of
from shared.bundles.bundle import Bundle
from shared.bundles.examples import Example, Examples


def _described(bundle: Bundle) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "name": bundle.name,
        "title": manifest.title,
        "version": manifest.version,
        "task": bundle.task,
        "language": bundle.language,
        "sign_language": bundle.sign_language,
        "license": manifest.license,
        "signs": list(bundle.signs),
    }


def _bundle(gateway: Gateway, name: str) -> Bundle:
    if name not in gateway.models:
        raise HTTPException(404, f"unknown model {name[:64]!r}; this server runs {', '.join(gateway.models)}")
    return gateway.models[name]


async def index(request: Request) -> Response:
    """The models that run, the default first."""
    return JSONResponse({"models": [_described(bundle) for bundle in gateway_of(request).models.values()]})


async def show(request: Request) -> Response:
    """One model, with its card in Markdown."""
    bundle = _bundle(gateway_of(request), request.path_params["name"])
    return JSONResponse({**_described(bundle), "card": bundle.card.read_text("utf-8")})


def _sign(request: Request) -> tuple[Bundle, str]:
    bundle = _bundle(gateway_of(request), request.path_params["name"])
    label = request.path_params["label"]
    if label not in bundle.signs:
        raise HTTPException(404, f"{bundle.name} has no sign {label[:64]!r}")
    return bundle, label


async def example(request: Request) -> Response:
    """How one sign looks: an average trajectory to draw, a video, or both, where the bundle carries them."""
    bundle, label = _sign(request)
    video = await asyncio.to_thread(bundle.video, label)
    examples = bundle.examples
    drawn = examples.signs.get(label) if examples else None
    if drawn is None and video is None:
        raise HTTPException(404, f"{bundle.name} {bundle.manifest.version} carries no example of {label!r}")
    told: dict[str, Any] = {"model": bundle.name, "label": label, "video": video is not None}
    return JSONResponse({**told, **_trajectory(examples, drawn)} if examples and drawn else told)


def _trajectory(examples: Examples, drawn: Example) -> dict[str, Any]:
    """Points a page can draw: frames of [x, y], null where a point is missing."""
    frames = drawn.frames.astype(float).round(3)
    seen = frames[~np.isnan(frames[..., 0])]
    return {
        "fps": round(examples.fps, 3),
        "clips": drawn.clips,
        "rows": list(examples.rows),
        "points": list(examples.points),
        "bounds": [*seen.min(0).tolist(), *seen.max(0).tolist()],
        "frames": [[None if math.isnan(x) else [x, y] for x, y in frame] for frame in frames.tolist()],
    }


async def video(request: Request) -> Response:
    """The video of one sign that the operator put into the bundle, whole or in ranges."""
    bundle, label = _sign(request)
    file = await asyncio.to_thread(bundle.video, label)
    if file is None:
        raise HTTPException(404, f"{bundle.name} has no video of {label!r}")
    return FileResponse(file, media_type="video/mp4")


ROUTES = [
    Route("/models", index),
    Route("/models/{name}", show),
    Route("/models/{name}/examples/{label}", example),
    Route("/models/{name}/examples/{label}/video", video),
]
