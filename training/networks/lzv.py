"""The Conv1D + BiLSTM CTC architecture of LZV-CSLR, in PyTorch: what ours is compared with.

Conv1D(128, kernel 5, same, ReLU), batch norm, BiLSTM(64) of joined directions, batch norm, one dense layer.
It sees the whole clip, so it cannot stream. The Keras original has a softmax; here logits come out. Its blank
is the last label; here it is the first, as in every CTC network of this project.
"""

from torch import Tensor, nn

CHANNELS, HIDDEN, KERNEL = 128, 64, 5


class ConvBiLstmCtc(nn.Module):
    """[batch, samples, features] -> logits [batch, samples, labels]. Padding is not masked, as there."""

    def __init__(self, features: int, labels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(features, CHANNELS, KERNEL, padding=KERNEL // 2)
        self.first_norm = nn.BatchNorm1d(CHANNELS)
        self.recurrent = nn.LSTM(CHANNELS, HIDDEN, batch_first=True, bidirectional=True)
        self.second_norm = nn.BatchNorm1d(2 * HIDDEN)
        self.head = nn.Linear(2 * HIDDEN, labels)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first_norm(nn.functional.relu(self.convolution(x.transpose(1, 2))))
        h, _ = self.recurrent(h.transpose(1, 2))
        return self.head(self.second_norm(h.transpose(1, 2)).transpose(1, 2))
