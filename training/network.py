"""The network: depthwise-separable convolutions over time, without padding.

Trained on long streams it labels every sample; given one window it labels the middle one. Both are the same
function, because nothing in it reaches beyond WINDOW samples or knows where a stream begins.
Convolution first is what won Kaggle's GISLR (2023) on little data with few parameters.
"""

import torch
from torch import Tensor, nn

from training import recipe
from training.ridge import Regression

_KERNEL = 5
_BLOCKS = (recipe.WINDOW - 1) // (_KERNEL - 1)


class _Block(nn.Module):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, _KERNEL, groups=width)
        self.norm = nn.BatchNorm1d(width)
        self.wide = nn.Conv1d(width, 2 * width, 1)
        self.narrow = nn.Conv1d(2 * width, width, 1)
        self.dropout = nn.Dropout1d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self._along_time(x))
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            h = self.narrow(nn.functional.silu(self.wide(h)))
        cut = _KERNEL // 2
        return x[..., cut:-cut] + self.dropout(h.float() if self.training else h)

    def _along_time(self, x: Tensor) -> Tensor:
        """The depthwise convolution. Its backward pass is slow in PyTorch: sums of shifted copies are not."""
        if not self.training:
            return self.depthwise(x)
        weight, bias = self.depthwise.weight[:, 0], self.depthwise.bias
        assert bias is not None
        samples = x.shape[-1] - _KERNEL + 1
        h = bias[:, None] + weight[:, :1] * x[..., :samples]
        for k in range(1, _KERNEL):
            h = h + weight[:, k : k + 1] * x[..., k : k + samples]
        return h


class Network(nn.Module):
    """[batch, samples, features] -> logits [batch, samples - WINDOW + 1, labels].

    Two questions with a head each: is this rest, unknown signing or a word; and which word, were it one. To
    the second a regression over the whole window adds what it says, which is fitted before and not learned.
    """

    def __init__(self, features: int, width: int = recipe.WIDTH, dropout: float = recipe.DROPOUT) -> None:
        super().__init__()
        self.spread = nn.BatchNorm1d(features)
        self.stem = nn.Conv1d(features, width, 1)
        self.blocks = nn.Sequential(*(_Block(width, dropout) for _ in range(_BLOCKS)))
        self.norm = nn.BatchNorm1d(width)
        self.late = nn.Dropout1d(2 * dropout)
        self.window = nn.Conv1d(
            features,
            len(recipe.WORDS),
            1 + (recipe.WINDOW - 1) // recipe.RIDGE_STEP,
            dilation=recipe.RIDGE_STEP,
        ).requires_grad_(requires_grad=False)
        self.kind = nn.Conv1d(width, len(recipe.BACKGROUND_IDS) + 1, 1)
        self.word = nn.Conv1d(width, len(recipe.WORDS), 1)

    def look(self, regression: Regression) -> None:
        """Takes over what was fitted to whole windows, of the words; it is not learned any further."""
        first = len(recipe.BACKGROUND_IDS)
        self.window.weight.copy_(torch.from_numpy(regression.weight[first:]))
        assert self.window.bias is not None
        self.window.bias.copy_(torch.from_numpy(regression.bias[first:]))

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(1, 2)
        h = self.late(self.norm(self.blocks(self.stem(self.spread(x)))))
        background = len(recipe.BACKGROUND_IDS)
        rest, sign = self.kind(h).split([background, 1], dim=1)
        word = self.word(h) + recipe.RIDGE_SCALE * self.window(x)
        return torch.cat([rest, sign + word.log_softmax(1)], 1).transpose(1, 2)

    def parameter_count(self) -> int:
        """Weights that are learned."""
        return sum(parameter.numel() for parameter in self.parameters())
