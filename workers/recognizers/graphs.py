"""A bundle's graph in ONNX Runtime, checked against its manifest before the first window."""

import numpy as np
from numpy.typing import NDArray

from shared.bundles import Bundle, BundleError
from shared.messages import Window
from workers.recognizers.pipeline import Pipeline, PipelineError
from workers.recognizers.runtime import onnxruntime

TOP = 5
"""Signs in an answer, as many as an event has alternatives."""

_DTYPES = {"float32": "tensor(float)"}


class Recognizer:
    """One model, ready to look at windows. Raises BundleError where graph and manifest disagree.

    `recognize` is pure: the same window gives the same answer in any process.
    """

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        self.bundle = bundle
        try:
            self._pipeline = Pipeline(bundle.manifest.input.pipeline, bundle.rows)
        except PipelineError as error:
            raise BundleError(f"{bundle.name}: {error}") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(bundle.graph), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's errors have no common class
            raise BundleError(
                f"{bundle.name}: graph {bundle.manifest.graph!r} does not load: {error}"
            ) from error
        self._check()

    def recognize(self, window: Window) -> list[tuple[str, float]]:
        """The five best signs and every background label, each with its probability, best first.

        Raises ValueError where the window is not of the shape the bundle asks for.
        """
        bundle = self.bundle
        if (window.samples, window.rows) != (bundle.samples, len(bundle.rows)):
            raise ValueError(
                f"window is {window.samples} samples x {window.rows} rows,"
                f" {bundle.name} expects {bundle.samples} x {len(bundle.rows)}"
            )
        if not (np.isfinite(window.aspect) and window.aspect > 0):
            raise ValueError(f"aspect is {window.aspect}, expected width / height")
        return self.rank(self.probabilities(window.array(), window.aspect))

    def probabilities(self, landmarks: NDArray[np.float32], aspect: float) -> NDArray[np.float32]:
        """[samples, rows, 3] -> one probability a label, float32 [labels]."""
        manifest = self.bundle.manifest
        features = self._pipeline(landmarks, aspect)[None]
        (answer,) = self._session.run([manifest.output.name], {manifest.input.tensors[0].name: features})
        scores = np.asarray(answer, np.float32).reshape(-1)
        if not np.isfinite(scores).all():
            raise ValueError(f"{self.bundle.name} answered with numbers that are not finite")
        if manifest.output.activation == "logits":
            scores = np.exp(scores - scores.max())
            scores = scores / scores.sum()
        return scores

    def rank(self, probabilities: NDArray[np.float32]) -> list[tuple[str, float]]:
        """As `recognize` answers; of equals the earlier label comes first."""
        order = sorted(range(len(probabilities)), key=lambda i: (-float(probabilities[i]), i))
        background = self.bundle.manifest.labels.background_ids
        signs = [i for i in order if i not in background][:TOP]
        return [
            (self.bundle.labels[i], float(probabilities[i])) for i in order if i in signs or i in background
        ]

    def _check(self) -> None:
        manifest = self.bundle.manifest
        (tensor,) = manifest.input.tensors
        inputs = self._session.get_inputs()
        if [graph.name for graph in inputs] != [tensor.name]:
            self._refuse("input.tensors", [tensor.name], [graph.name for graph in inputs])
        if inputs[0].type != _DTYPES[tensor.dtype]:
            self._refuse(f"input.tensors.{tensor.name}.dtype", tensor.dtype, inputs[0].type)
        shape = [size if isinstance(size, int) else 0 for size in inputs[0].shape]
        if shape != list(tensor.shape):
            self._refuse(f"input.tensors.{tensor.name}.shape", list(tensor.shape), inputs[0].shape)
        fed = [1, self.bundle.samples, *self._pipeline.shape]
        if len(fed) != len(shape) or any(has not in (0, gets) for has, gets in zip(shape, fed, strict=True)):
            self._refuse("input.pipeline with streaming.window", fed, inputs[0].shape)
        outputs = {graph.name: graph.shape for graph in self._session.get_outputs()}
        if manifest.output.name not in outputs:
            self._refuse("output.name", manifest.output.name, sorted(outputs))
        if list(outputs[manifest.output.name][1:]) != [manifest.labels.count]:
            self._refuse("labels.count", manifest.labels.count, outputs[manifest.output.name])

    def _refuse(self, field: str, says: object, graph: object) -> None:
        raise BundleError(f"{self.bundle.name}: {field} gives {says}, the graph has {graph}")
