"""The BiLSTM with two attentions over sequences of twelve 768-wide embeddings, as it was trained.

Its sequences are [frames, channels, 768], but its code unpacks them the other way round: the LSTM runs over
the twelve channels of each frame, "sequence attention" pools those, and "channel attention" pools the frames.
That is kept, since the weights of that project are made so (preset `bilstm-attention`).
"""

from torch import Tensor, nn

WIDTH = 768


class BiLstmAttention(nn.Module):
    """[batch, 32, 12, 768] -> logits [batch, labels]."""

    def __init__(
        self, labels: int, *, hidden: int = 512, layers: int = 3, width: int = WIDTH, dropout: float = 0.3
    ) -> None:
        super().__init__()
        joined = 2 * hidden
        self.recurrent = nn.LSTM(
            width, hidden, layers, batch_first=True, bidirectional=True, dropout=dropout if layers > 1 else 0
        )
        self.around = nn.Linear(width, joined)
        self.inner_attention = nn.Linear(joined, 1)
        self.outer_attention = nn.Sequential(nn.Linear(joined, hidden), nn.ReLU(), nn.Linear(hidden, 1))
        self.norm = nn.LayerNorm(joined)
        self.late = nn.Dropout(dropout)
        self.head = nn.Linear(joined, labels)

    def forward(self, sequences: Tensor) -> Tensor:
        return self.attended(sequences)[0]

    def attended(self, sequences: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The logits, and where it looked: weights [batch, 32, 12] of channels, [batch, 32] of frames."""
        rows = sequences.flatten(0, 1)
        h = self.recurrent(rows)[0] + self.around(rows)
        inner = self.inner_attention(h).softmax(1)
        frames = (h * inner).sum(1).unflatten(0, sequences.shape[:2])
        outer = self.outer_attention(frames).softmax(1)
        pooled = (frames * outer).sum(1)
        weights = inner[..., 0].unflatten(0, sequences.shape[:2])
        return self.head(self.late(self.norm(pooled))), weights, outer[..., 0]
