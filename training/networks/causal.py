"""A streaming CTC network: causal depthwise-separable convolutions over time.

What it answers for a sample depends on that sample and `reach` earlier ones only, never on a later one, so a
stream may be cut anywhere behind it. CTC (Graves et al., 2006) lets it answer late where it must wait; that
delay is learned and is measured in the model card.
"""

from collections.abc import Sequence

from torch import Tensor, nn

BLANK = 0
"""The first label of every CTC network here."""

KERNEL = 5


class _Block(nn.Module):
    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.past = (KERNEL - 1) * dilation
        self.depthwise = nn.Conv1d(width, width, KERNEL, dilation=dilation, groups=width)
        self.norm = nn.BatchNorm1d(width)
        self.wide = nn.Conv1d(width, 2 * width, 1)
        self.narrow = nn.Conv1d(2 * width, width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        before = nn.functional.pad(x, (self.past, 0))
        h = self.narrow(nn.functional.silu(self.wide(self.norm(self.depthwise(before)))))
        return x + self.dropout(h)


class CausalCtc(nn.Module):
    """[batch, samples, features] -> logits [batch, samples, labels], label 0 the blank.

    `front` may turn a sample's features into others (see fronts), causally too.
    """

    def __init__(
        self,
        features: int,
        labels: int,
        *,
        width: int = 128,
        dilations: Sequence[int] = (1, 1, 2, 2, 2),
        dropout: float = 0.2,
        front: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.front = front
        self.spread = nn.BatchNorm1d(features)
        self.stem = nn.Conv1d(features, width, 1)
        self.blocks = nn.ModuleList(_Block(width, dilation, dropout) for dilation in dilations)
        self.norm = nn.BatchNorm1d(width)
        self.late = nn.Dropout(dropout)
        self.head = nn.Conv1d(width, labels, 1)
        self.timed_head = nn.Conv1d(width, labels, 1)
        self.reach = (KERNEL - 1) * sum(dilations)
        """Samples before the newest that an answer depends on, without the front's."""

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.late(self._trunk(x))).transpose(1, 2)

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The logits, and those of a second head that learns from known times and serves in training only."""
        h = self.late(self._trunk(x))
        return self.head(h).transpose(1, 2), self.timed_head(h).transpose(1, 2)

    def _trunk(self, x: Tensor) -> Tensor:
        h = self.front(x) if self.front is not None else x
        h = self.stem(self.spread(h.transpose(1, 2)))
        for block in self.blocks:
            h = block(h)
        return self.norm(h)
