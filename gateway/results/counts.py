"""What a transcript told, for Prometheus."""

from collections.abc import Sequence

from gateway.results.transcript import Event, Transcript
from shared import metrics


def tell(transcript: Transcript, events: Sequence[Event]) -> None:
    """Events that are written now."""
    is_live = transcript.progress is None
    for event in events:
        if event["type"] == "gloss":
            labels = event["model"], event["status"]
            metrics.GLOSS_EVENTS.add(1, *labels)
            if is_live:
                metrics.GLASS_TO_GLOSS.observe(event["latency_ms"]["total"] / 1000, *labels)
        elif event["type"] == "dropped" and event["what"] == "windows":
            metrics.WINDOWS_DROPPED.add(event["count"])
    if events and transcript.over:
        metrics.SESSIONS_OVER.add(1, transcript.state)
