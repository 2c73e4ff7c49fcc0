"""A model built as SLR_SLOVO is described: four parts, crossed attention, a random query in its pooling."""

import torch
from torch import Tensor, nn


class PartEmbedding(nn.Module):
    """Patches of four landmarks, attention among them, their mean; a learned vector for a missing part."""

    def __init__(self, points: int, dim: int) -> None:
        super().__init__()
        self.patches = -(-points // 4)
        self.points = points
        self.embed = nn.Linear(8, dim)
        self.position = nn.Parameter(torch.randn(self.patches, dim) * 0.02)
        self.attention = nn.MultiheadAttention(dim, 4, batch_first=True)
        self.missing = nn.Parameter(torch.randn(dim) * 0.02)

    def forward(self, part: Tensor) -> Tensor:
        batch, time = part.shape[:2]
        padded = nn.functional.pad(part, (0, 0, 0, self.patches * 4 - self.points))
        x = self.embed(padded.reshape(batch * time, self.patches, 8)) + self.position
        x = x + self.attention(x, x, x, need_weights=False)[0]
        x = x.mean(1).reshape(batch, time, -1)
        gone = part.abs().sum((2, 3), keepdim=False)[..., None] == 0
        return torch.where(gone, self.missing, x)


class HierarchicalSigns(nn.Module):
    """[1, 128, 92, 3] and [1, 128] -> [1, classes]."""

    def __init__(self, classes: int, dim: int = 32) -> None:
        super().__init__()
        self.parts = nn.ModuleList(PartEmbedding(points, dim) for points in (40, 21, 21, 5))
        self.hands = nn.MultiheadAttention(dim, 4, batch_first=True)
        self.fuse = nn.Linear(4 * dim, dim)
        self.time = nn.Parameter(torch.randn(1000, dim) * 0.02)
        self.convs = nn.ModuleList(nn.Conv1d(dim, dim, size, padding=size // 2) for size in (3, 5, 7))
        self.key = nn.Linear(dim, dim)
        self.head = nn.Linear(3 * dim, classes)
        self.register_buffer("lips_mean", torch.full((40, 2), 0.1))

    def forward(self, frames: Tensor, index: Tensor, training: bool = True) -> Tensor:
        if training:
            frames = frames * (torch.rand(frames.shape[:2]) > 0.2)[..., None, None]
        xy = frames[..., :2]
        lips = torch.where(xy[:, :, :40] == 0, xy[:, :, :40], (xy[:, :, :40] - self.lips_mean).clamp(-5, 5))
        parts = (lips, xy[:, :, 40:61], xy[:, :, 61:82], xy[:, :, 82:87])
        a, left, right, pose = (embed(part) for embed, part in zip(self.parts, parts, strict=True))
        left = left + self.hands(left, right, right, need_weights=False)[0]
        x = self.fuse(torch.cat((a, left, right, pose), -1)) + self.time[: frames.shape[1]]
        x = x + sum(conv(x.transpose(1, 2)) for conv in self.convs).transpose(1, 2)
        there = (index != -1).float()[..., None]
        query = torch.randn(1, 1, x.shape[-1]) * 0.02
        score = (query * self.key(x)).sum(-1, keepdim=True).masked_fill(there == 0, -1e9)
        pooled = (
            (x * there).sum(1) / there.sum(1).clamp(min=1),
            x.masked_fill(there == 0, -1e9).amax(1),
            (score.softmax(1) * x).sum(1),
        )
        return self.head(torch.cat(pooled, -1))
