"""Somebody whose device finds the landmarks itself."""

from loadtests.users.open_loop import OpenLoopUser


class LandmarkPublisher(OpenLoopUser):
    """Offers one publisher of landmarks at a time, and listens to its glosses."""

    kind = "landmarks"
    every_option = seconds_option = "session_seconds"
    weight = 2
