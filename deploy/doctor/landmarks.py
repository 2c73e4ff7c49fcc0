"""What finds landmarks here, and in which numbers it computes."""

from deploy.doctor.finding import Finding, failed, ok
from shared.settings import PREFIX, Settings

PART = "landmarks"


def look(settings: Settings) -> Finding:
    """Loads a network as a keypoint worker would. Blocking, about a second."""
    try:
        # Behind the other findings: a machine on which these cannot even be imported is told so, too.
        from workers.keypoints.networks import HAND, Network, NetworkError, best_precision  # noqa: PLC0415
    except ImportError as error:
        return failed(PART, f"a package cannot be imported: {error}", "install as README.md says, in full")
    if settings.extractor == "mediapipe":
        return ok(PART, "by MediaPipe Holistic; the tracker takes a fifth of its CPU")
    precision = best_precision() if settings.precision == "auto" else settings.precision
    try:
        Network(HAND, precision)
    except (NetworkError, RuntimeError) as error:
        return failed(
            PART, f"the tracker does not start: {error}", f"set {PREFIX}EXTRACTOR=mediapipe until it does"
        )
    slow = "; this CPU has neither bf16 nor VNNI, with which it is quicker" if precision == "f32" else ""
    return ok(PART, f"by the tracker, in {precision}{slow}")
