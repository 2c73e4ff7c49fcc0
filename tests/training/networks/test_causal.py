"""The streaming network sees what it says it sees."""

import pytest

torch = pytest.importorskip(
    "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
)

from training.networks.causal import CausalCtc  # noqa: E402
from training.networks.fronts import GAPS, HandFront, NoseFront, since  # noqa: E402
from training.networks.lzv import ConvBiLstmCtc  # noqa: E402


def test_an_answer_depends_on_its_reach_and_its_look_ahead_and_nothing_else() -> None:
    torch.manual_seed(0)
    network = CausalCtc(4, 3, width=8, dilations=(1, 2), ahead=(2, 1)).eval()
    assert (network.reach, network.ahead) == (9, 3)
    stream = torch.randn(1, 40, 4)
    with torch.no_grad():
        whole = network(stream)
        for place, changes in ((20 - 10, False), (20 - 9, True), (20 + 3, True), (20 + 4, False)):
            other = stream.clone()
            other[0, place] += 10
            assert (not torch.allclose(network(other)[0, 20], whole[0, 20], atol=1e-6)) == changes, place


def test_a_stream_read_in_pieces_gives_what_the_whole_does() -> None:
    torch.manual_seed(0)
    network = CausalCtc(4, 3, width=8, dilations=(1, 2), ahead=(2, 0)).eval()
    stream = torch.randn(1, 60, 4)
    with torch.no_grad():
        whole, piece = network(stream), network(stream[:, 20:40])
    inner = slice(20 + network.reach, 40 - network.ahead)
    assert torch.allclose(whole[:, inner], piece[:, network.reach : -network.ahead], atol=1e-5)


def test_the_head_that_learns_from_times_does_not_serve() -> None:
    network = CausalCtc(4, 3, width=8, dilations=(1,), ahead=(0,))
    spare = sum(part.numel() for part in network.timed_head.parameters())
    assert network.parameter_count() == sum(part.numel() for part in network.parameters()) - spare


def test_ways_are_nothing_before_there_was_an_earlier_sample() -> None:
    track = torch.tensor([[[1.0], [3.0], [6.0]]])
    assert since(track, 1).flatten().tolist() == [0, 2, 3]
    assert since(track, 2).flatten().tolist() == [0, 0, 5]


def test_where_the_body_stands_says_nothing() -> None:
    track, moved = torch.rand(1, 9, 6), torch.tensor([0.3, -0.2] * 3)
    assert torch.allclose(NoseFront()(track), NoseFront()(track + moved), atol=1e-5)


def test_a_hand_that_comes_has_no_way_and_one_that_moves_has_it_in_palms() -> None:
    features = torch.zeros(1, 4, 170)
    for sample, x in enumerate((0.1, 0.2, 0.3)):
        hand = torch.full((21, 2), x)
        hand[9, 1] -= 0.1
        features[0, sample + 1, 42:84] = hand.flatten()
        features[0, sample + 1, 169] = 1
    ways = HandFront()(features)[0, :, 86:94]
    assert ways[1].abs().max() == 0
    assert ways[2, 2] == pytest.approx(1)
    assert ways[3].tolist()[2::4] == pytest.approx([1, 2])


def test_gaps_are_of_a_hand_that_is_there_and_a_larger_hand_shifts_them_alike() -> None:
    hand = torch.rand(21, 2) + torch.arange(21)[:, None]
    features = torch.zeros(1, 3, 170)
    for sample, size in ((1, 1.0), (2, 2.0)):
        features[0, sample, 126:168] = (hand * size).flatten()
        features[0, sample, 169] = 1
    gaps = HandFront()(features)[0, :, 94:].unflatten(-1, (2, len(GAPS)))
    assert gaps.shape[-1] * 2 + 94 == HandFront.FEATURES
    assert gaps[:, 0].abs().max() == 0
    assert gaps[0].abs().max() == 0
    assert torch.allclose(gaps[2, 1] - gaps[1, 1], torch.tensor(2.0).log(), atol=0.01)


def test_the_seeds_network_has_its_size() -> None:
    """186,542 in its card with 126 features and 46 symbols; Keras counts the norms' running figures (512) and
    has one bias where an LSTM here has two (512)."""
    count = sum(part.numel() for part in ConvBiLstmCtc(126, 46).parameters())
    assert count - 512 + 512 == 186_542
