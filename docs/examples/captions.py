"""Prints captions: of a video file, or of a session that is live. Needs nothing but Python.

python3 docs/examples/captions.py hello.mp4
python3 docs/examples/captions.py --session ID --server http://127.0.0.1:8080
"""

import argparse
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BACK_SECONDS = 1.0
"""A server that was restarted is back by then, or one second later."""

LONGEST_SECONDS = 60.0
"""Without a byte; the server says at least a comment line every fifteen seconds."""


def upload(server: str, video: Path) -> str:
    """Sends a file; returns its session's id. urllib.error.HTTPError holds the server's sentence."""
    request = urllib.request.Request(f"{server}/videos", video.read_bytes())
    with urllib.request.urlopen(request, timeout=LONGEST_SECONDS) as answer:
        return str(json.load(answer)["session"])


def events(server: str, session: str) -> Iterator[dict[str, Any]]:
    """Every event until the session is over, each once, also where the connection breaks meanwhile."""
    seen = 0
    while True:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(seen)}
        request = urllib.request.Request(f"{server}/sessions/{session}/events", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=LONGEST_SECONDS) as lines:
                for line in lines:
                    if line.startswith(b"data:"):
                        event = json.loads(line.removeprefix(b"data:"))
                        seen = event["seq"]
                        yield event
                        if event["type"] == "session" and event["state"] in ("ended", "failed"):
                            return
        except urllib.error.HTTPError:
            raise  # the server answered: it will not answer otherwise
        except OSError:
            time.sleep(BACK_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--session", help="Of a camera, as the Live page's address tells it.")
    parser.add_argument("--server", default="http://127.0.0.1:8080")
    arguments = parser.parse_args()
    if (arguments.video is None) == (arguments.session is None):
        parser.error("either a video or --session is needed")
    try:
        session = arguments.session or upload(arguments.server, arguments.video)
        for event in events(arguments.server, session):
            if event["type"] == "gloss" and event["status"] == "final":
                print(f"{event['start']:7.2f} s  {event['gloss']}", flush=True)
    except urllib.error.HTTPError as refused:
        sys.exit(f"{arguments.server} answers {refused.code}: {refused.read().decode()}")
    except OSError as error:
        sys.exit(f"{arguments.video or arguments.server}: {error}")


if __name__ == "__main__":
    main()
