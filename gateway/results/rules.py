"""Which rule turns a model's results into glosses: its bundle says."""

from collections.abc import Mapping
from typing import Any

from gateway.results.continuous import ContinuousRule, Tiling
from gateway.results.isolated import IsolatedRule
from gateway.results.transcript import Rule, RuleFactory
from shared.bundles.bundle import Bundle


def rules_of(bundles: Mapping[str, Bundle]) -> RuleFactory:
    """A rule for each of these models, afresh or from its state."""

    def rule(model: str, state: dict[str, Any] | None) -> Rule:
        return rule_of(bundles[model], state)

    return rule


def rule_of(bundle: Bundle, state: dict[str, Any] | None = None) -> Rule:
    """With `[ctc]` windows hold symbols. Without, each has one answer, also where the task is continuous:
    there the background separates the signs."""
    if bundle.ctc is None:
        if state is None:
            return IsolatedRule(bundle.streaming, bundle.background)
        return IsolatedRule.restore(bundle.streaming, bundle.background, state)
    tiling = tiling_of(bundle)
    if state is None:
        return ContinuousRule(tiling, bundle.background)
    return ContinuousRule.restore(tiling, bundle.background, state)


def tiling_of(bundle: Bundle) -> Tiling:
    """How the windows of a model with `[ctc]` lie. ValueError for a model without."""
    ctc = bundle.ctc
    if ctc is None:
        raise ValueError(f"{bundle.name} has no [ctc]")
    return Tiling(
        stride=(bundle.stride or bundle.samples) / bundle.fps,
        lookahead=bundle.lookahead,
        hop=ctc.reduction / bundle.fps,
        is_held=bundle.ahead is None and bundle.lookahead > 0,
        threshold=ctc.threshold,
        confirm=ctc.confirm,
    )
