"""A bundle's graphs in ONNX Runtime, checked against its manifest before the first window."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.bundles import Bundle, BundleError
from shared.messages import Window
from shared.pictures import unpack_clip
from workers.recognizers import activation
from workers.recognizers.ahead import SIDE_BY_SIDE, Ahead
from workers.recognizers.embeddings import Embedder
from workers.recognizers.graph import CPU, Graph, Place
from workers.recognizers.pipeline import ClipPipeline, Pipeline, PipelineError, Prepared
from workers.recognizers.states import States

TOP = 10
"""Signs in an answer, as many as an event tells: five alternatives, and five more."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the graph says of one window, as it says it."""

    scores: NDArray[np.float32]
    """[labels], or with time [steps, symbols]."""
    states: States
    """For the session's next window."""


class Recognizer:
    """One model, ready to look at windows. Raises BundleError where graphs and manifest disagree.

    `recognize` is pure: the same window gives the same answer in any process.
    """

    def __init__(self, bundle: Bundle, threads: int = 1, providers: Sequence[str] = CPU) -> None:
        self.bundle = bundle
        self.seconds = 0.0
        """A window takes, where whoever loaded it has measured."""
        manifest = bundle.manifest
        self._landmarks: Pipeline | None = None
        self._pictures: ClipPipeline | Embedder | None = None
        try:
            if manifest.modality == "landmarks":
                self._landmarks = Pipeline.of(manifest.input, bundle.folder)
            elif manifest.modality == "rgb":
                assert bundle.picture is not None
                self._pictures = ClipPipeline.of(manifest.input, bundle.picture)
            else:
                self._pictures = Embedder(bundle, threads, providers)
        except PipelineError as error:
            raise BundleError(f"{bundle.name}: {error}") from error
        self._place = Place(bundle.name, "input.tensors")
        self._graph = Graph(
            bundle.graph,
            manifest.input.tensors,
            manifest.state,
            place=self._place,
            threads=threads,
            providers=providers,
        )
        self._output = self._graph.output(manifest.output.name, manifest.output.index)
        self._ahead = Ahead(self._landmarks, self._run_all, self._require_fit) if self._landmarks else None
        for name in manifest.output.extra:
            self._graph.output(name, None, "output.extra")
        self._check()

    def look_ahead(self, windows: Sequence[Window]) -> None:
        """Prepares windows that come next, side by side; it changes no answer. For the thread that then asks
        for them, in any order."""
        if self._ahead is not None:
            self._ahead.take(windows)

    def run_ahead(self) -> None:
        """Runs the graph on them, where it may see several at once."""
        if self._ahead is not None:
            self._ahead.run()

    def side_by_side(self, seconds: float) -> int:
        """How many windows the graph is given at once: as many as it answers in `seconds`, and one where
        those side by side do not get the very bits each gets alone. Tried, not inferred; `seconds` of one
        window must have been measured."""
        most = min(SIDE_BY_SIDE, int(seconds / self.seconds)) if self.seconds else 1
        if self._ahead is not None:
            self._ahead.runs = most if most > 1 and self._runs_alike(most) else 1
        return self._ahead.runs if self._ahead is not None else 1

    def recognize(self, window: Window) -> list[tuple[str, float]]:
        """The TOP best signs and every background label, each with its probability, best first.

        Raises ValueError where the window is not of the shape the bundle asks for.
        """
        return self.rank(activation.probabilities(self._one_answer(window), self._activation))

    def probabilities(self, landmarks: NDArray[np.float32], aspect: float) -> NDArray[np.float32]:
        """[samples, rows, 3] -> one probability a label, float32 [labels]."""
        if self._landmarks is None:
            raise ValueError(f"{self.bundle.name} looks at pictures, not at landmarks")
        answer = self._answer(self._landmarks.prepare(landmarks, aspect), self._graph.first_states())
        return activation.probabilities(answer.scores, self._activation)

    def log_probabilities(self, window: Window) -> NDArray[np.float32]:
        """Of a model with `[ctc]`: natural logarithms [steps, symbols], in the order of `Bundle.symbols`.

        A step is `ctc.reduction` samples. Raises ValueError as `recognize` does.
        """
        return activation.log_probabilities(self._one_answer(window), self._activation)

    def advance(self, window: Window, states: States | None = None) -> tuple[NDArray[np.float32], States]:
        """As `log_probabilities`, going on from the session's last states; None before its first window."""
        answer = self._answer(
            self._prepared(window), self._graph.first_states() if states is None else states
        )
        return activation.log_probabilities(answer.scores, self._activation), answer.states

    def fed(self, window: Window) -> dict[str, NDArray[Any]]:
        """What the graph is fed of a window, by the names of its inputs. Raises as `recognize` does."""
        return self._graph.feeds(self._prepared(window))

    def rank(self, probabilities: NDArray[np.float32]) -> list[tuple[str, float]]:
        """As `recognize` answers; of equals the earlier label comes first."""
        order = sorted(range(len(probabilities)), key=lambda i: (-float(probabilities[i]), i))
        background = self.bundle.manifest.labels.background_ids
        signs = [i for i in order if i not in background][:TOP]
        return [
            (self.bundle.labels[i], float(probabilities[i])) for i in order if i in signs or i in background
        ]

    def probe(self, seed: int = 0) -> Answer:
        """The answer to a window of noise, the same for the same seed: warms up, and tells what comes out."""
        prepared = self._noise(seed)
        self._graph.check_fed(prepared, "input.pipeline with streaming.window")
        return self._answer(prepared, self._graph.first_states())

    def _noise(self, seed: int) -> Prepared:
        rng = np.random.default_rng(seed)
        bundle = self.bundle
        streaming = bundle.streaming
        samples = streaming.shortest if streaming.windows == "segments" else streaming.window
        if self._landmarks is not None:
            points = rng.normal(0.5, 0.1, (samples, len(bundle.rows), 3)).astype(np.float32)
            return self._landmarks.prepare(points, 16 / 9)
        assert self._pictures is not None
        assert bundle.picture is not None
        size = (samples, bundle.picture.height, bundle.picture.width, 3)
        return self._pictures.prepare(rng.integers(0, 256, size, np.uint8))

    @property
    def _activation(self) -> str:
        return self.bundle.manifest.output.activation

    def _one_answer(self, window: Window) -> NDArray[np.float32]:
        begun = self._ahead.pop(window) if self._ahead is not None else None
        if begun is not None and begun.scores is not None:
            return self._scores(begun.scores)
        prepared = begun.prepared if begun is not None else self._prepared(window)
        return self._answer(prepared, self._graph.first_states()).scores

    def _run_all(self, prepared: Sequence[Prepared]) -> list[NDArray[Any]]:
        return self._graph.run_all(self._output, self.bundle.manifest.output.axes.index("batch"), prepared)

    def _runs_alike(self, most: int) -> bool:
        axes = self.bundle.manifest.output.axes
        if "batch" not in axes or not self._graph.has_batch(self._output, axes.index("batch")):
            return False
        noise = [self._noise(seed) for seed in range(most)]
        alone = [self._graph.run([self._output], one, {})[0] for one in noise]
        return all(
            all(map(np.array_equal, self._run_all(noise[:count]), alone)) for count in range(2, most + 1)
        )

    def _require_fit(self, window: Window) -> None:
        bundle, streaming = self.bundle, self.bundle.streaming
        least = streaming.window if streaming.windows == "sliding" else streaming.shortest
        if bundle.ahead is not None:
            least = 1  # where the media begins and ends
        if not least <= window.samples <= streaming.window or window.rows != len(bundle.rows):
            expected = f"{least} to {streaming.window}" if least < streaming.window else f"{least}"
            raise ValueError(
                f"window is {window.samples} samples x {window.rows} rows,"
                f" {bundle.name} expects {expected} x {len(bundle.rows)}"
            )
        if not (np.isfinite(window.aspect) and window.aspect > 0):
            raise ValueError(f"aspect is {window.aspect}, expected width / height")

    def _prepared(self, window: Window) -> Prepared:
        bundle = self.bundle
        self._require_fit(window)
        if self._landmarks is not None:
            return self._landmarks.prepare(window.array(), window.aspect)
        assert self._pictures is not None
        assert bundle.picture is not None
        clip = unpack_clip(window.pictures, bundle.picture.width, bundle.picture.height)
        return self._pictures.prepare(clip)

    def _answer(self, prepared: Prepared, states: States) -> Answer:
        manifest = self.bundle.manifest
        wanted = [self._output, *(state.name_out for state in manifest.state)]
        first, *after = self._graph.run(wanted, prepared, states)
        carried = {state.name_in: array for state, array in zip(manifest.state, after, strict=True)}
        return Answer(self._scores(first), carried)

    def _scores(self, answer: NDArray[Any]) -> NDArray[np.float32]:
        """[labels] or [steps, symbols] of what the graph answered with."""
        manifest = self.bundle.manifest
        scores = np.asarray(answer, np.float32)
        if scores.ndim != len(manifest.output.axes):
            self._place.refuse("output.axes", list(manifest.output.axes), list(scores.shape))
        scores = _in_order(scores, manifest.output.axes)
        if not np.isfinite(scores).all():
            raise ValueError(f"{self.bundle.name} answered with numbers that are not finite")
        return scores

    def _check(self) -> None:
        """Refuses what the graph says, or answers to noise, that the manifest does not."""
        manifest, place = self.bundle.manifest, self._place
        wanted, shape = len(self.bundle.symbols), self._graph.outputs[self._output]
        field = "labels.count" if manifest.ctc is None else "labels.count and ctc.blank"
        if shape:
            if len(shape) != len(manifest.output.axes):
                place.refuse("output.axes", list(manifest.output.axes), shape)
            labels = shape[manifest.output.axes.index("label")]
            if isinstance(labels, int) and labels != wanted:
                place.refuse(field, wanted, shape)
        try:
            scores = self.probe().scores
        except BundleError:
            raise
        except Exception as error:  # ONNX Runtime's errors have no common class
            raise BundleError(f"{self.bundle.name}: a window of noise ends in: {error}") from error
        if scores.shape[-1] != wanted:
            place.refuse(field, wanted, list(scores.shape))
        if manifest.ctc is not None:
            self._check_steps(len(scores))
        misfit = activation.misfit(scores, self._activation)
        if misfit:
            raise BundleError(
                f"{self.bundle.name}: output.activation says {self._activation!r}, the graph answers {misfit}"
            )

    def _check_steps(self, steps: int) -> None:
        assert self.bundle.ctc is not None
        streaming, reduction = self.bundle.streaming, self.bundle.ctc.reduction
        samples = streaming.shortest if streaming.windows == "segments" else streaming.window
        if self.bundle.manifest.input.length.samples:
            samples = self.bundle.manifest.input.length.samples
        if abs(steps * reduction - samples) >= 2 * reduction:
            self._place.refuse("ctc.reduction", reduction, f"{steps} steps of {samples} samples")


def _in_order(scores: NDArray[np.float32], axes: Sequence[str]) -> NDArray[np.float32]:
    """The first window's [labels] or [time, labels]."""
    order = [axis for axis in ("batch", "time", "label") if axis in axes]
    moved = scores.transpose([list(axes).index(axis) for axis in order])
    return moved[0] if "batch" in axes else moved
