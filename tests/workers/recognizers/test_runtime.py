"""ONNX Runtime keeps to itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent.parent


def test_a_recognizer_leaves_no_trace_of_telemetry(tmp_path: Path) -> None:
    code = (
        "from shared.bundles.registry import Registry\n"
        "from workers.recognizers.graphs import Recognizer\n"
        "Recognizer(Registry().find('asl-words'))\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=environment)
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_imports_onnx_runtime() -> None:
    importers = {
        path.relative_to(ROOT)
        for folder in ("deploy", "gateway", "shared", "training", "workers")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"^(import|from) onnxruntime", path.read_text("utf-8"), re.MULTILINE)
    }
    assert importers == {Path("workers/recognizers/runtime.py")}
