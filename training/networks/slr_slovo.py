"""A landmark Transformer in the way of SLR_SLOVO: parts, crossed attention, local then global layers.

Inputs are the host steps' (presets `slr-slovo-*`): 92 landmarks of which 87 are used (lips 40, left hand 21,
right hand 21, left arm 5), and each sample's frame number, -1 where padded. x and y are standardised, exact 0
stays, and what is further out than 5 is bounded. The original draws its pooling's query at random on every
run; here it is learned, so that two runs agree. Auxiliary heads serve in training only.
"""

import torch
from torch import Tensor, nn

PARTS = (40, 21, 21, 5)
"""Lips, left hand, right hand, left arm."""

PATCH = 4
"""Landmarks a patch of the part embedding."""

LIMIT = 5.0
POOLS = (1, 2, 4, 8)
"""Adaptive average pools over time, each averaged again."""


def attended(query: Tensor, key: Tensor, value: Tensor, heads: int, there: Tensor | None = None) -> Tensor:
    """Attention of several heads over [batch, samples, width]; `there` [batch, samples] masks the keys."""
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (query, key, value))
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if there is not None:
        scores = scores.masked_fill(~there[:, None, None], -1e4)
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(-2)


class _RmsNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt() * self.scale


class _Part(nn.Module):
    """[batch, samples, points, 2] -> [batch, samples, width]: attention among patches, then their mean."""

    def __init__(self, points: int, width: int) -> None:
        super().__init__()
        patches = -(-points // PATCH)
        self.missing_points = patches * PATCH - points
        self.embed = nn.Linear(2 * PATCH, width)
        self.places = nn.Parameter(torch.randn(patches, width) * 0.02)
        self.projections = nn.Linear(width, 3 * width)
        self.missing = nn.Parameter(torch.randn(width) * 0.02)

    def forward(self, part: Tensor) -> Tensor:
        padded = nn.functional.pad(part, (0, 0, 0, self.missing_points))
        rows = self.embed(padded.flatten(0, 1).unflatten(1, (-1, PATCH)).flatten(2)) + self.places
        query, key, value = self.projections(rows).chunk(3, -1)
        h = (rows + attended(query, key, value, heads=4)).mean(1).unflatten(0, part.shape[:2])
        gone = part.abs().sum((2, 3))[..., None] == 0
        return torch.where(gone, self.missing, h)


class _Layer(nn.Module):
    """Rotary attention and a gated feed-forward layer; a local layer has convolutions over time before."""

    def __init__(self, width: int, heads: int, *, local: bool, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        kernels = (3, 5, 7) if local else ()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width) for kernel in kernels
        )
        self.first_norm, self.second_norm = _RmsNorm(width), _RmsNorm(width)
        self.projections, self.joined = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.gates, self.narrow = nn.Linear(width, 4 * width), nn.Linear(2 * width, width)
        self.scales = nn.Parameter(torch.ones(2))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        for convolution in self.convolutions:
            x = x + nn.functional.silu(convolution(x.transpose(1, 2)).transpose(1, 2)) / 3
        query, key, value = self.projections(self.first_norm(x)).chunk(3, -1)
        h = attended(self._turned(query), self._turned(key), value, self.heads, there)
        x = x + self.scales[0] * self.dropout(self.joined(h))
        gate, wide = self.gates(self.second_norm(x)).chunk(2, -1)
        return x + self.scales[1] * self.dropout(self.narrow(nn.functional.silu(gate) * wide))

    def _turned(self, x: Tensor) -> Tensor:
        """Rotary positions (Su et al., 2021) in every head."""
        rows = x.unflatten(-1, (self.heads, 2, -1))
        half = rows.shape[-1]
        speed = 10_000.0 ** (-torch.arange(half, dtype=x.dtype, device=x.device) / half)
        angle = torch.arange(x.shape[1], dtype=x.dtype, device=x.device)[:, None, None] * speed
        a, b = rows[..., 0, :], rows[..., 1, :]
        turned = (a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos())
        return torch.cat(turned, -1).flatten(-2)


class LandmarkTransformer(nn.Module):
    """[batch, 128, 92, 3] and [batch, 128] -> logits [batch, labels]."""

    def __init__(
        self,
        labels: int,
        *,
        width: int = 512,
        heads: int = 8,
        local_layers: int = 4,
        global_layers: int = 4,
        samples: int = 128,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(sum(PARTS), 2))
        self.register_buffer("std", torch.ones(sum(PARTS), 2))
        self.heads = heads
        self.parts = nn.ModuleList(_Part(points, width) for points in PARTS)
        self.crossings = nn.ModuleList(nn.Linear(width, 3 * width) for _ in range(2))
        self.weights = nn.Parameter(torch.zeros(len(PARTS)))
        self.fused = nn.Linear(len(PARTS) * width, width)
        self.places = nn.Parameter(torch.randn(samples, width) * 0.02)
        self.layers = nn.ModuleList(
            _Layer(width, heads, local=place < local_layers, dropout=dropout)
            for place in range(local_layers + global_layers)
        )
        self.query = nn.Parameter(torch.randn(width) * 0.02)
        pooled = (3 + len(POOLS)) * width
        self.pooled = nn.Sequential(nn.Linear(pooled, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, labels))
        self.auxiliary_heads = nn.ModuleList(nn.Linear(width, labels) for _ in range(3))

    def forward(self, frames: Tensor, index: Tensor) -> Tensor:
        return self.both(frames, index)[0]

    def both(self, frames: Tensor, index: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The logits, and those of the auxiliary heads after the first, middle and last layer."""
        there = index != -1
        h = self._parts(frames) + self.places[: frames.shape[1]]
        taps, depths = [], {0, len(self.layers) // 2, len(self.layers) - 1}
        for depth, layer in enumerate(self.layers):
            h = layer(h, there)
            if depth in depths:
                taps.append(_mean(h, there))
        auxiliary = [head(tap) for head, tap in zip(self.auxiliary_heads, taps, strict=False)]
        return self.head(self.pooled(self._pooled(h, there))), auxiliary

    def _parts(self, frames: Tensor) -> Tensor:
        xy = frames[:, :, : sum(PARTS), :2]
        xy = torch.where(xy == 0, xy, ((xy - self.mean) / (self.std + 1e-8)).clamp(-LIMIT, LIMIT))
        pieces = torch.split(xy, list(PARTS), dim=2)
        lips, left, right, arm = (embed(piece) for embed, piece in zip(self.parts, pieces, strict=True))
        left, right = self._crossed(0, left, right), self._crossed(0, right, left)
        lips, arm = self._crossed(1, lips, arm), self._crossed(1, arm, lips)
        weights = self.weights.softmax(0)
        parts = [part * weights[place] for place, part in enumerate((lips, left, right, arm))]
        return self.fused(torch.cat(parts, -1))

    def _crossed(self, pair: int, part: Tensor, other: Tensor) -> Tensor:
        """One part looks at the other, both with the pair's own weights."""
        query, _, _ = self.crossings[pair](part).chunk(3, -1)
        _, key, value = self.crossings[pair](other).chunk(3, -1)
        return part + attended(query, key, value, self.heads)

    def _pooled(self, h: Tensor, there: Tensor) -> Tensor:
        away = ~there[..., None]
        scores = (h @ self.query)[..., None].masked_fill(away, -1e4)
        pools = [nn.functional.adaptive_avg_pool1d(h.transpose(1, 2), size).mean(-1) for size in POOLS]
        looked = (h * scores.softmax(1)).sum(1)
        return torch.cat((_mean(h, there), h.masked_fill(away, -1e4).amax(1), looked, *pools), -1)


def _mean(h: Tensor, there: Tensor) -> Tensor:
    weights = there.to(h.dtype)[..., None]
    return (h * weights).sum(1) / weights.sum(1).clamp(min=1)
