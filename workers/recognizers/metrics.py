"""What a recognizer process tells Prometheus of its stations: what became of their windows."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from shared import metrics_server
from shared.metrics import RECOGNIZER_MESSAGES, RECOGNIZER_WINDOWS
from workers.recognizers.station import Station

Stations = Callable[[], Iterable[Station]]


class Metrics(Collector):
    """Reads the counts that the stations of one process keep themselves."""

    def __init__(self, stations: Stations) -> None:
        self._stations = stations

    def describe(self) -> Iterable[Metric]:
        """Without asking anybody."""
        return (RECOGNIZER_WINDOWS.family(), RECOGNIZER_MESSAGES.family())

    def collect(self) -> Iterator[Metric]:
        """Called by Prometheus's thread; reads numbers only."""
        done, transport = RECOGNIZER_WINDOWS.family(), RECOGNIZER_MESSAGES.family()
        for station in list(self._stations()):
            for outcome, count in vars(station.agent.counts).items():
                done.add_metric([station.name, outcome], count)
            for outcome, count in vars(getattr(station.app.consumer, "counts", object())).items():
                transport.add_metric([station.name, outcome], count)
        yield from (done, transport)


@contextlib.asynccontextmanager
async def served(stations: Stations, host: str, port: int) -> AsyncIterator[None]:
    """`/metrics`, `/healthz` and `/readyz`; nothing for port 0. SettingsError where another has it."""

    def missing() -> list[str]:
        return [f"windows of the model {station.name}" for station in stations() if not station.is_reading]

    async with metrics_server.served("recognizers", host, port, missing, [Metrics(stations)]):
        yield
