"""The network: depthwise-separable convolutions over time, without padding.

Trained on long streams it labels every sample; given one window it labels the middle one. Both are the same
function, because nothing in it reaches beyond WINDOW samples or knows where a stream begins.
Convolution first is what won Kaggle's GISLR (2023) on little data with few parameters.
"""

from torch import Tensor, nn

from training import recipe

_KERNEL = 5
_BLOCKS = (recipe.WINDOW - 1) // (_KERNEL - 1)


class _Block(nn.Module):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, _KERNEL, groups=width)
        self.norm = nn.BatchNorm1d(width)
        self.wide = nn.Conv1d(width, 2 * width, 1)
        self.narrow = nn.Conv1d(2 * width, width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        h = self.narrow(nn.functional.silu(self.wide(self.norm(self.depthwise(x)))))
        cut = _KERNEL // 2
        return x[..., cut:-cut] + self.dropout(h)


class Network(nn.Module):
    """[batch, samples, features] -> logits [batch, samples - WINDOW + 1, labels]."""

    def __init__(self, features: int, width: int = recipe.WIDTH, dropout: float = recipe.DROPOUT) -> None:
        super().__init__()
        self.spread = nn.BatchNorm1d(features)
        self.stem = nn.Conv1d(features, width, 1)
        self.blocks = nn.Sequential(*(_Block(width, dropout) for _ in range(_BLOCKS)))
        self.norm = nn.BatchNorm1d(width)
        self.late = nn.Dropout(2 * dropout)
        self.head = nn.Conv1d(width, len(recipe.LABELS), 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.blocks(self.stem(self.spread(x.transpose(1, 2))))
        return self.head(self.late(self.norm(h))).transpose(1, 2)

    def parameter_count(self) -> int:
        """Weights that are learned."""
        return sum(parameter.numel() for parameter in self.parameters())
