"""Recognizers to be signalled: `python -m tests.workers.recognizers.worker URL SECONDS_PER_WINDOW`."""

import logging
import os
import sys
import time

from shared.messages import Window
from tests.workers.recognizers.conftest import TinyModel
from workers.recognizers.app import run, serve_models


class SlowModel(TinyModel):
    """As slow as asked for; a window of aspect -1 ends the process, as a fault in C would."""

    def recognize(self, window: Window) -> list[tuple[str, float]]:
        if window.aspect == -1:
            os.abort()
        time.sleep(float(sys.argv[2]))
        return super().recognize(window)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    sys.exit(run(serve_models(sys.argv[1], {"tiny": SlowModel()}, idle_seconds=0.6, batch=4)))
