"""A streaming model's recognizer: `python -m tests.workers.recognizers.chain_worker URL FOLDER SECONDS`."""

import logging
import sys
import time
from pathlib import Path

from shared.bundles import load_bundle
from shared.messages import Symbol, Window
from workers.recognizers.app import run, serve_models
from workers.recognizers.graphs import Recognizer
from workers.recognizers.reader import ChunkReader
from workers.recognizers.states import States


class Slow(ChunkReader):
    """As slow as asked for."""

    def advance(self, window: Window, states: States | None) -> tuple[list[Symbol], States]:
        time.sleep(float(sys.argv[3]))
        return super().advance(window, states)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    bundle = load_bundle(Path(sys.argv[2]))
    model = Slow(Recognizer(bundle))
    sys.exit(run(serve_models(sys.argv[1], {bundle.name: model}, idle_seconds=0.6, batch=4)))
