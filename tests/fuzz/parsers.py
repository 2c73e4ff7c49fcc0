"""Everything here that reads what others wrote, and which of its branches the fuzzing reached."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coverage

PARSERS: dict[str, tuple[str, ...]] = {
    "gateway/errors.py": (),
    "gateway/ingest/assembly.py": (),
    "gateway/ingest/channels.py": ("_read", "Channels._take"),
    "gateway/ingest/comeback.py": ("find", "Comeback.clock"),
    "gateway/ingest/demux.py": (),
    "gateway/ingest/keyframes.py": ("is_vp8_keyframe", "is_h264_keyframe", "begins_h264", "_holds_sps"),
    "gateway/ingest/nacks.py": (),
    "gateway/ingest/offers.py": (),
    "gateway/ingest/reception.py": (),
    "gateway/ingest/resource.py": (),
    "gateway/ingest/rtp.py": (),
    "gateway/ingest/spool.py": (),
    "gateway/ingest/timestamps.py": (),
    "gateway/ingest/uploads.py": ("upload", "_content_length", "_session", "_probe"),
    "gateway/ingest/whip.py": (
        *("change", "describe", "describe_session", "not_allowed", "not_allowed_on_session"),
        *("_bearer", "_links", "_content_type", "_require_type", "_body", "_with_cors"),
    ),
    "gateway/results/events.py": ("over_socket", "as_server_sent", "_after"),
    "gateway/results/log.py": ("check", "unpack", "_seq"),
    "gateway/sessions.py": ("_wait",),
    "shared/framelog.py": ("read_entry", "packet_of_entry", "FrameReader._require_next"),
    "shared/messages.py": (
        *("_unpacked", "Packed.unpack", "Packed.from_fields", "_require", "unpack_record"),
        *("Window.__post_init__", "Window._require_pictures", "Window.array", "Symbol.__post_init__"),
        *("Result.__post_init__", "Last.__post_init__", "Note.__post_init__", "Length.__post_init__"),
    ),
}
"""By file the functions that do the reading; none named: all of it."""


def measuring() -> coverage.Coverage:
    """Start it before anything of the project is imported."""
    return coverage.Coverage(branch=True, include=[*PARSERS], data_file=None, concurrency=["thread"])


def report(measured: coverage.Coverage) -> Iterator[str]:
    """A line a parser: its branches, those reached, and where the others leave from and to."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        measured.json_report(outfile=str(path))
        files: dict[str, Any] = json.loads(path.read_text())["files"]
    every = reached = 0
    for file, names in PARSERS.items():
        functions = files[file.replace("/", os.sep)]["functions"]
        for name, found in functions.items():
            if names and name not in names:
                continue
            summary = found["summary"]
            every += summary["num_branches"]
            reached += summary["covered_branches"]
            missed = [f"{begin}->{end}" for begin, end in found["missing_branches"]]
            missed += [f"line {line}" for line in found["missing_lines"] if not missed]
            if missed:
                yield f"  {file} {name or '(module)'}: not reached: {', '.join(missed)}"
    yield f"branches of the parsers: {reached} of {every} reached ({100 * reached / every:.1f} %)"
