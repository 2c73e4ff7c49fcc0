"""The tables that the manifests of all our landmark models begin with, and the names of their files."""

from collections.abc import Mapping, Sequence

from training.toml import spans, table

GRAPH, LABELS, CARD = "model.onnx", "labels.txt", "README.md"

INPUT, OUTPUT = "landmarks", "logits"


def head(
    *, name: str, title: str, task: str, language: str, sign_language: str, declared: Mapping[str, str]
) -> str:
    """The top of the file; `declared` names the files beside graph, labels and card."""
    return table(
        "",
        schema_version=1,
        id=name,
        title=title,
        version="1",
        license="Apache-2.0",
        task=task,
        modality="landmarks",
        language=language,
        sign_language=sign_language,
        graph=GRAPH,
        card=CARD,
        **declared,
    )


def landmark_input(
    *,
    rows: tuple[int, ...],
    fps: float,
    policy: str,
    pipeline: Sequence[Mapping[str, object]],
    shape: tuple[int, int, int],
) -> str:
    """`[input]`: canonical rows, `fps` samples a second, and the graph's one tensor [batch, time, feature],
    where 0 stands for any size."""
    return table(
        "input",
        source_layout="gislr543",
        fps=fps,
        rows=spans(rows),
        missing="nan",
        length={"policy": policy},
        pipeline=list(pipeline),
        tensors=[
            {"name": INPUT, "dtype": "float32", "axes": ["batch", "time", "feature"], "shape": list(shape)}
        ],
    )
