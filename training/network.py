"""The network: depthwise-separable convolutions over time, without padding.

Trained on long streams it labels every sample; given one window it labels the middle one. Both are the same
function, because nothing in it reaches beyond WINDOW samples or knows where a stream begins.
Convolution first is what won Kaggle's GISLR (2023) on little data with few parameters.
"""

from collections.abc import Sequence

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


class _Trunk(nn.Module):
    """[batch, features, samples] -> [batch, width, samples - WINDOW + 1]."""

    def __init__(self, features: int, width: int, dropout: float) -> None:
        super().__init__()
        self.spread = nn.BatchNorm1d(features)
        self.stem = nn.Conv1d(features, width, 1)
        self.blocks = nn.Sequential(*(_Block(width, dropout) for _ in range(_BLOCKS)))
        self.norm = nn.BatchNorm1d(width)
        self.late = nn.Dropout1d(2 * dropout)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.late(self.norm(self.blocks(self.stem(self.spread(x)))))
        return answer


class WhichWord(nn.Module):
    """[batch, samples, features] -> logits [batch, samples - WINDOW + 1, labels].

    Two questions with a head each: is this rest, unknown signing or a word; and which word, were it one. To
    the second a regression over the whole window adds what it says, which is fitted before and not learned.
    """

    def __init__(self, features: int, width: int = recipe.WIDTH, dropout: float = recipe.DROPOUT) -> None:
        super().__init__()
        self.trunk = _Trunk(features, width, dropout)
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
        h = self.trunk(x)
        background = len(recipe.BACKGROUND_IDS)
        rest, sign = self.kind(h).split([background, 1], dim=1)
        word = self.word(h) + recipe.RIDGE_SCALE * self.window(x)
        return torch.cat([rest, sign + word.log_softmax(1)], 1).transpose(1, 2)


class WhetherWord(nn.Module):
    """[batch, samples, features] -> logits [batch, samples - WINDOW + 1, labels]. One question: which label.

    It learns the words to know what is none: signing that is like no word as a whole it calls unknown.
    """

    def __init__(self, features: int, width: int = recipe.WIDTH, dropout: float = recipe.DROPOUT) -> None:
        super().__init__()
        self.trunk = _Trunk(features, width, dropout)
        self.label = nn.Conv1d(width, len(recipe.LABELS), 1)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.label(self.trunk(x.transpose(1, 2)))
        return answer.transpose(1, 2)


class Network(nn.Module):
    """[batch, samples, features] -> logarithms of probabilities [batch, samples - WINDOW + 1, labels].

    A word is as likely as it is found among the words, times the belief that it is a word at all: the smaller
    of two networks' beliefs, so that either alone can reject what is none. Streams teach those two that a
    hand which stays is at rest, and sittings that hold a sign are read so. Whether what is no word is rest or
    unknown signing is therefore said by small ones that know single recordings and no streams; they also have
    a voice in which word it is.
    """

    def __init__(self, which: WhichWord, whether: WhetherWord, singles: Sequence[WhetherWord]) -> None:
        super().__init__()
        self.which, self.whether, self.singles = which, whether, nn.ModuleList(singles)

    def forward(self, x: Tensor) -> Tensor:
        rest, words = _parted(self.which(x))
        other_rest, other_words = _parted(self.whether(x))
        still, voice = self._alone(x)
        shares = (0.5 * (rest + other_rest) + torch.cat([still, torch.zeros_like(still)], -1)).log_softmax(-1)
        doubt, belief = (
            torch.maximum(_all(rest), _all(other_rest)),
            torch.minimum(_all(words), _all(other_words)),
        )
        among = words.log_softmax(-1) + recipe.SINGLE_WORD * voice
        return torch.cat([doubt + shares, belief + among.log_softmax(-1)], -1)

    def _alone(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What is added to rest's logarithm, and the mean of what single recordings say of the words."""
        parts = [_parted(single(x)) for single in self.singles]
        odds = torch.stack([rest[..., :1] - _all(words) for rest, words in parts]).mean(0)
        voice = torch.stack([words.log_softmax(-1) for _, words in parts]).mean(0)
        return recipe.SINGLE_REST * (odds + recipe.SINGLE_LEAN), voice

    def parameter_count(self) -> int:
        """Weights, those of the regression among them."""
        return sum(parameter.numel() for parameter in self.parameters())


def _parted(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithms of the probabilities of the background labels, and of the words."""
    background = len(recipe.BACKGROUND_IDS)
    rest, words = logits.log_softmax(-1).split([background, len(recipe.WORDS)], dim=-1)
    return rest, words


def _all(logs: Tensor) -> Tensor:
    """The logarithm of their probability together.

    By log-softmax, which runtimes take row by row: exponentials of whole batches differ in the last bit by
    a row's place among the others.
    """
    return (logs - logs.log_softmax(-1))[..., :1]
