"""Somebody who has a file recognised."""

from loadtests.users.open_loop import OpenLoopUser


class Uploader(OpenLoopUser):
    """Uploads the clip and follows it to its last gloss; every upload must have the same glosses."""

    kind = "upload"
    every_option = seconds_option = "upload_every"
    weight = 1
