"""What is said on `control:{id}` to the process that writes a session: JSON objects with a `type`.

Lossy, as all pub/sub is: nothing may hang on a message alone.
"""

import json

from shared import keys
from shared.fence import Command

KEYFRAME = "keyframe"
"""The keypoint owner cannot go on without one."""

CONSUMED = "consumed"
"""A checkpoint covers more of a file, so there may be room; or its owner wants packets again."""

ENDED = "ended"
"""The session is over: nobody needs what its writer still has."""


def message(kind: str) -> str:
    """One that says no more than its type."""
    return json.dumps({"type": kind}, separators=(",", ":"))


def command(session: str, kind: str) -> Command:
    """The same as a command, for what is written in one step."""
    return ("PUBLISH", keys.control(session), message(kind))
