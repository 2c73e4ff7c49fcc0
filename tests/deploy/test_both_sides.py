"""What deploy/ and its documents say of the code is so."""

import re
from pathlib import Path

import pytest

from shared import metrics
from shared.settings import FILE_SUFFIX, PREFIX, Settings
from tests.conftest import ROOT

FILES = [
    path
    for pattern in ("*.yaml", "*.env", "*.env.example", "*.json", "Dockerfile", "*.conf", "*.acl")
    for path in sorted((ROOT / "deploy").rglob(pattern))
]

OUR_OWN = {
    # Variables of compose.yaml alone, explained in .env.example.
    *("SIGNSTREAM_BIND", "SIGNSTREAM_PUBLIC_ADDRESS", "SIGNSTREAM_PAGE_HOST", "SIGNSTREAM_METRICS_KEPT"),
    *("SIGNSTREAM_KEYPOINT_REPLICAS", "SIGNSTREAM_RECOGNIZER_REPLICAS"),
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_setting_and_metric_named_is_one(path: Path) -> None:
    text = path.read_text()
    settings = {PREFIX + field.upper() for field in Settings.model_fields}
    named = {name.removesuffix(FILE_SUFFIX) for name in re.findall(rf"{PREFIX}[A-Z_]+", text)}
    assert named - OUR_OWN <= settings
    known = {metric.name for metric in metrics.METRICS}
    known |= {
        f"{m.name}{end}"
        for m in metrics.METRICS
        if m.kind == "histogram"
        for end in ("_bucket", "_count", "_sum")
    }
    assert set(re.findall(r"\bsignstream_[a-z_]+", text)) <= known
