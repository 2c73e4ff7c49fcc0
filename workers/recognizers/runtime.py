"""ONNX Runtime, silent. Import it from here, never directly.

Its official builds report to their maker over the network unless told not to before they are loaded
(Privacy.md in its wheel). Nothing here talks to anyone but our own stages.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

__all__ = ["onnxruntime"]
