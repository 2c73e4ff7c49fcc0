"""How long a stage may take from SIGTERM to its end. Who stops it must not kill it sooner."""

from shared.metrics import Stage

GRACE_SECONDS: dict[Stage, float] = {"gateway": 6.0, "keypoints": 6.0, "recognizers": 6.0}
"""Each is gone in under three by itself; the rest is for a machine at its limit. `signstream up` kills after
these, Kubernetes' `terminationGracePeriodSeconds` and compose's `stop_grace_period` are no shorter."""
