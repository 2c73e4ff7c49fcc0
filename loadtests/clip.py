"""The video that load tests sign with where none is named."""

import os
from pathlib import Path

RECORDING = "videos/asl_hello_x2.mp4"
"""Somebody who signs HELLO twice, among the recordings."""


def recording() -> Path:
    """In the folder SIGNSTREAM_DATA names, else beside the checkout; it may not be there."""
    return Path(os.environ.get("SIGNSTREAM_DATA") or "../shared/data") / RECORDING
