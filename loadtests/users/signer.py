"""Somebody who signs before a camera."""

from loadtests.users.open_loop import OpenLoopUser


class Signer(OpenLoopUser):
    """Offers one camera at a time: a session as long as the time between two.

    Each is a WebRTC peer of its own with real ICE, DTLS and RTP that sends an encoded clip at 30 frames a
    second, and listens to its glosses; of every fourth the landmarks are watched.
    """

    kind = "camera"
    every_option = seconds_option = "session_seconds"
    weight = 4
