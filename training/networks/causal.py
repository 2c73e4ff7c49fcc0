"""A streaming CTC network: depthwise-separable convolutions over time with a short, fixed look ahead.

What it answers for a sample depends on `reach` earlier samples and `ahead` later ones, nothing else: a stream
is read in pieces and gives what the whole would. With `ahead` 0 it is causal. CTC (Graves et al., 2006) lets
it answer late where it must wait.
"""

from collections.abc import Sequence

from torch import Tensor, nn

BLANK = 0
"""The first label of every CTC network here."""

KERNEL = 5


class _Block(nn.Module):
    def __init__(self, width: int, dilation: int, ahead: int, dropout: float) -> None:
        super().__init__()
        self.sides = ((KERNEL - 1) * dilation - ahead, ahead)
        self.depthwise = nn.Conv2d(width, width, (1, KERNEL), dilation=(1, dilation), groups=width)
        self.norm = nn.BatchNorm2d(width)
        self.pointwise = nn.Conv2d(width, width, 1)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        around = nn.functional.pad(x, self.sides)
        h = self.pointwise(nn.functional.silu(self.norm(self.depthwise(around))))
        return x + self.dropout(h)


class CausalCtc(nn.Module):
    """[batch, samples, features] -> logits [batch, samples, labels], label 0 the blank.

    `front` may turn a sample's features into others (see fronts), causally. Each block has its dilation and
    how many of its samples lie ahead.
    """

    def __init__(
        self,
        features: int,
        labels: int,
        *,
        width: int = 160,
        dilations: Sequence[int] = (1, 1, 2, 2, 2),
        ahead: Sequence[int] = (0, 0, 0, 0, 0),
        dropout: float = 0.1,
        front: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.front = front
        self.spread = nn.BatchNorm2d(features)
        self.stem = nn.Conv2d(features, width, 1)
        self.blocks = nn.ModuleList(
            _Block(width, dilation, later, dropout) for dilation, later in zip(dilations, ahead, strict=True)
        )
        self.norm = nn.BatchNorm2d(width)
        self.late = nn.Dropout2d(2 * dropout)
        self.head = nn.Linear(width, labels)
        self.timed_head = nn.Linear(width, labels)
        self.ahead = sum(ahead)
        """Later samples an answer depends on."""
        self.reach = (KERNEL - 1) * sum(dilations) - self.ahead
        """Earlier samples it depends on, without the front's."""

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
        """[batch, samples, width]. Inside, samples are the columns of a picture of one row, the channels last
        in memory: on a processor its layers train twice as fast as those of one dimension."""
        h = self.front(x) if self.front is not None else x
        h = self.stem(self.spread(h.transpose(1, 2).unsqueeze(2)))
        for block in self.blocks:
            h = block(h)
        return self.late(self.norm(h)).squeeze(2).transpose(1, 2)
