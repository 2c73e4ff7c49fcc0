"""Every Prometheus metric of every stage, in one list. docs/operations.md has it as a table.

Figures of the whole house (`FLEET`) are told by every gateway, from Redis: they are there when no worker is.
Take `max` of them over the gateways; take `sum` of what each process tells of itself.
"""

import contextlib
import dataclasses
import functools
import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

from prometheus_client import Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

Stage = Literal["gateway", "keypoints", "recognizers"]

GATEWAY: tuple[Stage, ...] = ("gateway",)
KEYPOINTS: tuple[Stage, ...] = ("keypoints",)
RECOGNIZERS: tuple[Stage, ...] = ("recognizers",)

AGES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0)
"""Seconds; a live picture older than half a second is dropped sooner or later."""

WORK = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 1.0)
"""Seconds of a picture's or a window's work: the lips take half a millisecond, Holistic some 25."""

GLOSSES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Seconds from the camera to the word; half a second feels like now."""


@dataclasses.dataclass(frozen=True, eq=False)
class Metric:
    """One metric: what it is called and means, and this process's own count of it."""

    name: str
    """As a query names it; a counter's ends in `_total`."""
    kind: Literal["counter", "gauge", "histogram"]
    stages: tuple[Stage, ...]
    """Which processes tell it."""
    what: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    known: Mapping[Stage, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """By stage, values of the one label that are told from the start, as nothing yet."""
    fleet: bool = False
    """Of the whole house, not of the process that tells it."""
    read: bool = False
    """Counted elsewhere: a collector of the stage makes a `family` of it when it is asked."""

    def add(self, amount: float = 1.0, *labels: str) -> None:
        """Counts, a gauge also down; from any thread."""
        cast(Counter, self._at(labels)).inc(amount)

    def set(self, value: float, *labels: str) -> None:
        """What a gauge shows from now on; from any thread."""
        cast(Gauge, self._at(labels)).set(value)

    def observe(self, value: float, *labels: str) -> None:
        """One more value of a histogram; from any thread."""
        cast(Histogram, self._at(labels)).observe(value)

    @contextlib.contextmanager
    def timed(self, *labels: str) -> Iterator[None]:
        """Observes how long what is inside takes, however it ends."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.observe(time.perf_counter() - begun, *labels)

    def forget(self) -> None:
        """Tells nothing until it is set again, where it has labels; NaN where it has none."""
        if self.labels:
            self.instrument.clear()
        else:
            self.set(float("nan"))

    def family(self) -> CounterMetricFamily:
        """An empty one for a collector to fill."""
        return CounterMetricFamily(self.name.removesuffix("_total"), self.what, labels=self.labels)

    @functools.cached_property
    def instrument(self) -> MetricWrapperBase:
        """What counts, in no registry."""
        given: dict[str, Any] = {"labelnames": self.labels, "registry": None}
        if self.kind == "counter":
            return Counter(self.name, self.what, **given)
        if self.kind == "gauge":
            return Gauge(self.name, self.what, **given)
        return Histogram(self.name, self.what, buckets=self.buckets, **given)

    def _at(self, labels: tuple[str, ...]) -> MetricWrapperBase:
        return self.instrument.labels(*labels) if labels else self.instrument


# What keypoint workers are scaled by: ceil((claimed + queued) / capacity), and the age of frames.
KEYPOINT_SESSIONS_CLAIMED = Metric(
    "signstream_keypoint_sessions_claimed",
    "gauge",
    GATEWAY,
    "Sessions that keypoint workers own, those of dead ones included until another takes them.",
    fleet=True,
)
KEYPOINT_SESSIONS_QUEUED = Metric(
    "signstream_keypoint_sessions_queued",
    "gauge",
    GATEWAY,
    "Sessions that wait for a keypoint worker, the first thousand of them.",
    fleet=True,
)
KEYPOINT_CAPACITY = Metric(
    "signstream_keypoint_capacity",
    "gauge",
    GATEWAY,
    "Sessions one keypoint worker carries: the mean of what they say; else what the settings promise.",
    fleet=True,
)
KEYPOINT_WORKERS = Metric(
    "signstream_keypoint_workers", "gauge", GATEWAY, "Keypoint workers that say they are there.", fleet=True
)
RECOGNIZERS_THERE = Metric(
    "signstream_recognizers", "gauge", GATEWAY, "Recognizers that say they are there.", fleet=True
)
# What recognizers are scaled by.
WINDOWS_PENDING = Metric(
    "signstream_windows_pending",
    "gauge",
    GATEWAY,
    "Windows of all sessions sent and not yet acknowledged: the backlog.",
    ("model",),
    fleet=True,
)
WINDOWS_IN_WORK = Metric(
    "signstream_windows_in_work",
    "gauge",
    GATEWAY,
    "Of those, handed to a recognizer; the rest nobody was given yet.",
    ("model",),
    fleet=True,
)
WINDOWS_OLDEST = Metric(
    "signstream_windows_oldest_seconds",
    "gauge",
    GATEWAY,
    "Age of the oldest window not acknowledged; 0 where there is none.",
    ("model",),
    fleet=True,
)
REDIS_UP = Metric("signstream_redis_up", "gauge", GATEWAY, "1 while Redis answers this gateway, else 0.")
REDIS_MEMORY = Metric(
    "signstream_redis_memory_bytes", "gauge", GATEWAY, "Memory that Redis's data takes.", fleet=True
)
REDIS_MEMORY_LIMIT = Metric(
    "signstream_redis_memory_limit_bytes",
    "gauge",
    GATEWAY,
    "Redis's `maxmemory`; 0 where it has none.",
    fleet=True,
)

# What a gateway tells of itself, and is scaled by.
GATEWAY_SESSIONS = Metric(
    "signstream_gateway_sessions",
    "gauge",
    GATEWAY,
    "Cameras, files and publishers of landmarks this gateway holds; kind is `camera`, `file` or `landmarks`.",
    ("kind",),
    known={"gateway": ("camera", "file", "landmarks")},
)
GATEWAY_LOOP_LAG = Metric(
    "signstream_gateway_loop_lag_seconds",
    "gauge",
    GATEWAY,
    "Longest that this gateway's event loop was held up in the last 15 s.",
)
GATEWAY_QUEUE = Metric(
    "signstream_gateway_queue_frames",
    "gauge",
    GATEWAY,
    "Frames that wait between this gateway's cameras and Redis.",
)
GATEWAY_FRAMES = Metric(
    "signstream_gateway_frames_total", "counter", GATEWAY, "Frames of cameras written to Redis."
)
GATEWAY_LANDMARKS = Metric(
    "signstream_gateway_landmark_frames_total",
    "counter",
    GATEWAY,
    "Frames of published landmarks written to Redis.",
)
REFUSED = Metric(
    "signstream_requests_refused_total",
    "counter",
    GATEWAY,
    "Requests refused before they reached a route, by HTTP status: tokens, rates, origins.",
    ("status",),
    known={"gateway": ("401", "403", "429")},
)
TRANSCRIPTS = Metric(
    "signstream_transcripts_owned", "gauge", GATEWAY, "Sessions whose transcript this gateway writes."
)
SESSIONS_OVER = Metric(
    "signstream_sessions_over_total",
    "counter",
    GATEWAY,
    "Sessions whose transcript this gateway ended; state is `ended` or `failed`.",
    ("state",),
    known={"gateway": ("ended", "failed")},
)
GLOSS_EVENTS = Metric(
    "signstream_gloss_events_total",
    "counter",
    GATEWAY,
    "Glosses told; status is `partial` or `final`.",
    ("model", "status"),
)
GLASS_TO_GLOSS = Metric(
    "signstream_glass_to_gloss_seconds",
    "histogram",
    GATEWAY,
    "Live sessions: from a camera's frame to the gloss that it led to, written for its viewers.",
    ("model", "status"),
    GLOSSES,
)
WINDOWS_DROPPED = Metric(
    "signstream_windows_dropped_total",
    "counter",
    GATEWAY,
    "Windows of live sessions that nobody answered in time.",
)

# What both ends of the frames' way tell.
FRAMES_DROPPED = Metric(
    "signstream_frames_dropped_total",
    "counter",
    ("gateway", "keypoints"),
    "Frames of cameras that nobody will look at: `incomplete` (packets lost), `queue` (Redis too slow),"
    " `redis` (Redis away) at a gateway, `late` (too old when its turn came) at a keypoint worker.",
    ("reason",),
    known={"gateway": ("incomplete", "queue", "redis"), "keypoints": ("late",)},
)

# What a keypoint worker tells of itself.
SESSIONS_OWNED = Metric(
    "signstream_keypoint_sessions_owned",
    "gauge",
    KEYPOINTS,
    "Sessions this worker owns; kind is `live`, `file` or `landmarks` (published, not looked for here).",
    ("kind",),
    known={"keypoints": ("live", "file", "landmarks")},
)
OWN_CAPACITY = Metric(
    "signstream_keypoint_worker_capacity",
    "gauge",
    KEYPOINTS,
    "Sessions this worker has and has room for.",
)
FRAME_AGE = Metric(
    "signstream_frame_age_seconds",
    "histogram",
    KEYPOINTS,
    "Age of a camera's frame when its landmarks are there.",
    buckets=AGES,
)
FRAMES_LANDMARKED = Metric(
    "signstream_frames_landmarked_total", "counter", KEYPOINTS, "Pictures looked at, of cameras and files."
)
LANDMARK = Metric(
    "signstream_landmark_seconds",
    "histogram",
    KEYPOINTS,
    "Work on one picture: `decode`, `landmarks` (all of the extractor), `windows`; with the tracker `pose`,"
    " `hands` and `face` too, which are in `landmarks`.",
    ("part",),
    WORK,
    known={"keypoints": ("decode", "landmarks", "windows")},
)
TURN_WAIT = Metric(
    "signstream_keypoint_turn_wait_seconds",
    "histogram",
    KEYPOINTS,
    "How long a live session waited for its turn in the worker's one thread: its queue.",
    buckets=WORK,
)
WINDOWS_SENT = Metric(
    "signstream_windows_sent_total", "counter", KEYPOINTS, "Windows sent to recognizers.", ("model",)
)

# What a recognizer tells of itself.
RECOGNIZE = Metric(
    "signstream_recognize_seconds",
    "histogram",
    RECOGNIZERS,
    "Work on one window: host pipeline and graph.",
    ("model",),
    WORK,
)
WINDOW_WAIT = Metric(
    "signstream_window_wait_seconds",
    "histogram",
    RECOGNIZERS,
    "From sending a window to the beginning of the work on it.",
    ("model",),
    AGES,
)
RECOGNIZER_WINDOWS = Metric(
    "signstream_recognizer_windows_total",
    "counter",
    RECOGNIZERS,
    "Windows this process dealt with: `results`, `errors`, `bad` (no window), `ended` (nobody waits).",
    ("model", "outcome"),
    read=True,
)
RECOGNIZER_MESSAGES = Metric(
    "signstream_recognizer_messages_total",
    "counter",
    RECOGNIZERS,
    "What the transport did with messages; see docs/transport.md.",
    ("model", "outcome"),
    read=True,
)

# What every process tells of itself.
TASKS = Metric(
    "signstream_tasks",
    "gauge",
    ("gateway", "keypoints", "recognizers"),
    "Asyncio tasks of this process's main event loop.",
)
SPANS_LOST = Metric(
    "signstream_spans_lost_total",
    "counter",
    ("gateway", "keypoints", "recognizers"),
    "Spans of traces that no collector took.",
)

METRICS = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
"""All of them, in the order of this file."""


def registry(stage: Stage, *collectors: Collector) -> CollectorRegistry:
    """What a process of this stage tells: its metrics, those of `collectors`, its CPU and memory."""
    made = CollectorRegistry()
    for metric in METRICS:
        if stage in metric.stages and not metric.read:
            made.register(metric.instrument)
            for value in metric.known.get(stage, ()):
                metric.instrument.labels(value)
    for collector in collectors:
        made.register(collector)
    ProcessCollector(registry=made)
    return made
