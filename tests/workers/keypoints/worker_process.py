"""A keypoint worker as a process of its own, with the test's model: `python -m ... REDIS_URL`."""

import sys

import uvloop

from shared.settings import Settings
from shared.telemetry import configure_logging
from tests.workers.keypoints.stage import Words
from workers.keypoints.app import serve

if __name__ == "__main__":
    configure_logging("keypoints", "INFO")
    uvloop.run(serve(Settings(redis_url=sys.argv[1]), [Words()]))
