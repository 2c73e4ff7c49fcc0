"""A CTC network for sentences that are there whole: convolutions first, then an LSTM in both directions.

It sees the whole recording before its first answer, so it cannot stream; `causal` is its sibling that can.
"""

from collections.abc import Sequence

from torch import Tensor, nn

KERNEL = 5


class _Block(nn.Module):
    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        around = (KERNEL - 1) // 2 * dilation
        self.depthwise = nn.Conv1d(width, width, KERNEL, padding=around, dilation=dilation, groups=width)
        self.norm = nn.BatchNorm1d(width)
        self.pointwise = nn.Conv1d(width, width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        h = self.pointwise(nn.functional.silu(self.norm(self.depthwise(x))))
        return x + self.dropout(h)


class WholeCtc(nn.Module):
    """[batch, samples, features] -> logits [batch, samples, labels], label 0 the blank.

    Padding is not masked. `front` may turn a sample's features into others (see fronts). Each block has its
    dilation.
    """

    def __init__(
        self,
        features: int,
        labels: int,
        *,
        width: int = 96,
        hidden: int = 64,
        dilations: Sequence[int] = (1, 2),
        dropout: float = 0.3,
        front: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.front = front
        self.spread = nn.BatchNorm1d(features)
        self.stem = nn.Conv1d(features, width, KERNEL, padding=KERNEL // 2)
        self.blocks = nn.ModuleList(_Block(width, dilation, dropout / 3) for dilation in dilations)
        self.norm = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(dropout)
        self.recurrent = nn.LSTM(width, hidden, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, labels)
        self.timed_head = nn.Linear(2 * hidden, labels)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self._trunk(x))

    def parameter_count(self) -> int:
        """Weights that serve; the second head does not."""
        kept = [part.numel() for name, part in self.named_parameters() if not name.startswith("timed_head.")]
        return sum(kept)

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The logits, and those of a second head that learns from known times and serves in training only."""
        h = self._trunk(x)
        return self.head(h), self.timed_head(h)

    def _trunk(self, x: Tensor) -> Tensor:
        """[batch, samples, 2 * hidden]."""
        h = self.front(x) if self.front is not None else x
        h = self.stem(self.spread(h.transpose(1, 2)))
        for block in self.blocks:
            h = block(h)
        h = self.dropout(nn.functional.silu(self.norm(h))).transpose(1, 2)
        h, _ = self.recurrent(h)
        return self.dropout(h)
