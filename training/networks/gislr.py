"""The GISLR landmark Transformer of Mark Wijkhuizen's notebook, in PyTorch: part embeddings, two blocks.

Inputs are the host steps' (preset `gislr-mw`): 66 landmarks (lips 40, the signing hand 21, its arm 5) and for
each sample the number of the frame it came from, -1 where padded. Only x and y are used; 0 is missing. The
notebook masks a quarter of the frames at random inside its graph, in use too; here for training only.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

PARTS = (40, 21, 5)
"""Lips, hand, arm."""

POSITIONS = 64

FRAMES_DROPPED = 0.25


class _PartEmbedding(nn.Module):
    """[batch, samples, 2 x points] -> [batch, samples, units]; a learned vector where all is missing."""

    def __init__(self, points: int, inner: int, units: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * points, inner, bias=False), nn.GELU(), nn.Linear(inner, units, bias=False)
        )
        self.missing = nn.Parameter(torch.zeros(units))

    def forward(self, part: Tensor) -> Tensor:
        gone = part.abs().sum(-1, keepdim=True) == 0
        return torch.where(gone, self.missing, self.layers(part))


class _Block(nn.Module):
    def __init__(self, units: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.first_norm, self.second_norm = nn.LayerNorm(units), nn.LayerNorm(units)
        self.projections, self.joined = nn.Linear(units, 3 * units), nn.Linear(units, units)
        self.layers = nn.Sequential(
            nn.Linear(units, 2 * units), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * units, units)
        )

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        h = self.projections(self.first_norm(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = h[0], h[1], h[2]
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        scores = scores.masked_fill(~there[:, None, None], -1e4)
        x = x + self.joined((scores.softmax(-1) @ value).transpose(1, 2).flatten(-2))
        return x + self.layers(self.second_norm(x))


class GislrTransformer(nn.Module):
    """[batch, 64, 66, 3] and [batch, 64] -> logits [batch, labels]."""

    def __init__(
        self,
        labels: int,
        *,
        inner: int = 384,
        units: int = 512,
        heads: int = 8,
        mean: Sequence[Sequence[float]] | None = None,
        std: Sequence[Sequence[float]] | None = None,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        points = sum(PARTS)
        self.register_buffer("mean", torch.tensor(mean) if mean is not None else torch.zeros(points, 2))
        self.register_buffer("std", torch.tensor(std) if std is not None else torch.ones(points, 2))
        self.parts = nn.ModuleList(_PartEmbedding(part, inner, inner) for part in PARTS)
        self.part_weights = nn.Parameter(torch.zeros(len(PARTS)))
        self.joined = nn.Sequential(
            nn.Linear(inner, units, bias=False), nn.GELU(), nn.Linear(units, units, bias=False)
        )
        self.places = nn.Embedding(POSITIONS + 1, units)
        self.blocks = nn.ModuleList(_Block(units, heads, dropout) for _ in range(2))
        self.late = nn.Dropout(0.1)
        self.head = nn.Linear(units, labels)

    def forward(self, frames: Tensor, index: Tensor) -> Tensor:
        there = index != -1
        if self.training:
            there = there & (torch.rand(index.shape, device=index.device) >= FRAMES_DROPPED)
            # A clip of which nothing would be left keeps all.
            there = torch.where(there.any(1, keepdim=True), there, index != -1)
        xy = frames[..., :2]
        xy = torch.where(xy == 0, xy, (xy - self.mean) / self.std)
        pieces = torch.split(xy, list(PARTS), dim=2)
        embedded = torch.stack(
            [embed(piece.flatten(2)) for embed, piece in zip(self.parts, pieces, strict=True)], -1
        )
        h = self.joined((embedded * self.part_weights.softmax(0)).sum(-1))
        last = index.amax(1, keepdim=True).clamp(min=1)
        place = torch.where(index != -1, (index / last * POSITIONS).clamp(0, POSITIONS - 1), POSITIONS)
        h = h + self.places(place.long())
        for block in self.blocks:
            h = block(h, there)
        weights = there.to(h.dtype)[..., None]
        return self.head(self.late((h * weights).sum(1) / weights.sum(1).clamp(min=1)))
