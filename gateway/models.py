"""`GET /models`: what runs, its labels and its model card."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.state import Gateway, gateway_of
from shared.bundles.bundle import Bundle


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


async def example(request: Request) -> Response:
    """An example trajectory of one sign, where the bundle carries one."""
    bundle = _bundle(gateway_of(request), request.path_params["name"])
    label = request.path_params["label"]
    if label not in bundle.signs:
        raise HTTPException(404, f"{bundle.name} has no sign {label[:64]!r}")
    raise HTTPException(404, f"{bundle.name} {bundle.manifest.version} carries no example trajectories")


ROUTES = [
    Route("/models", index),
    Route("/models/{name}", show),
    Route("/models/{name}/examples/{label}", example),
]
