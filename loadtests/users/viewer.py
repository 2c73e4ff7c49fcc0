"""Somebody who reads the glosses of another."""

from loadtests.users.open_loop import OpenLoopUser


class Viewer(OpenLoopUser):
    """Joins any session that runs, by turns over a WebSocket and over server-sent events.

    Its line is cut half-way; it comes back with its cursor, and must then have got every event once.
    """

    kind = "viewer"
    every_option = seconds_option = "view_seconds"
    weight = 2
