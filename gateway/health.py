"""`/healthz`: this process lives. `/readyz`: a camera could connect, or what is missing. `/metrics`."""

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.state import Gateway, gateway_of
from shared.metrics import registry
from shared.stages import announced

STAGES = ("keypoints", "recognizers")

REGISTRY = registry("gateway")


async def healthz(_: Request) -> Response:
    """200 while the event loop turns."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """200 when every stage is there for every model that runs; else 503 and what is missing."""
    missing = await lacking(gateway_of(request))
    if missing:
        return JSONResponse({"ready": False, "missing": missing}, 503, headers={"Retry-After": "1"})
    return JSONResponse({"ready": True, "missing": []})


async def lacking(gateway: Gateway) -> list[str]:
    """Why a camera could not connect, in words; empty where it could."""
    stopping = ["this gateway is stopping"] if gateway.draining.is_set() else []
    try:
        return stopping + await missing_parts(gateway)
    except RedisError:
        return [*stopping, "Redis"]  # where it is and why is told in the log, by those who work with it


async def missing_parts(gateway: Gateway) -> list[str]:
    """Every stage and named model that nobody serves, in words. Raises RedisError."""
    missing = []
    for stage in STAGES:
        served = {model for process in await announced(gateway.store, stage) for model in process["models"]}
        missing += [
            f"{stage} for the model {name}" for name in gateway.settings.model_list if name not in served
        ]
    return missing


async def served_everywhere(gateway: Gateway) -> set[str]:
    """Models that every process of every stage serves: any session may ask for them. Raises RedisError."""
    served: list[set[str]] = []
    for stage in STAGES:
        processes = await announced(gateway.store, stage)
        served += [set(process["models"]) for process in processes] or [set()]
    return set.intersection(*served)


async def metrics(_: Request) -> Response:
    """What this process counts, for Prometheus."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


ROUTES = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
