"""What a camera has brought, told to Prometheus in steps: its own counts only ever grow."""

from shared import metrics


class Counts:
    """What was told of one camera."""

    def __init__(self) -> None:
        self._written = 0
        self._dropped: dict[str, int] = {}

    def tell(self, written: int, **dropped: int) -> None:
        """Frames so far: written to Redis, and dropped by reason."""
        metrics.GATEWAY_FRAMES.add(written - self._written)
        self._written = written
        for reason, count in dropped.items():
            metrics.FRAMES_DROPPED.add(count - self._dropped.get(reason, 0), reason)
            self._dropped[reason] = count
