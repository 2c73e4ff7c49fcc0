"""How every process of ours logs: one line a record on stderr, with the stage it comes from."""

import logging
import sys


def configure_logging(stage: str, level: str) -> None:
    """Once, at the start of a process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        logging.Formatter(f"%(asctime)s %(levelname)-7s {stage}[%(process)d] %(name)s: %(message)s")
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("absl", "aioice", "aiortc", "faust", "mode", "shared.faust_redis", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
