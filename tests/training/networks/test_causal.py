"""The streaming network sees what it says it sees."""

import pytest

torch = pytest.importorskip(
    "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
)

from torch import Tensor  # noqa: E402

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


LEFT, RIGHT = 0, 1
"""Of the letters' features [.., 254]: both hands in the picture, both from their wrists, both presences."""


def hand_features(samples: int) -> Tensor:
    """[1, samples, 254], no hand in sight."""
    return torch.zeros(1, samples, 254)


def show(features: Tensor, sample: int, side: int, points: Tensor) -> None:
    """Puts a hand [21, 3] into a sample, its wrist where the points have it."""
    shape = (points - points[:1]) / (points[9, :2] - points[0, :2]).norm()
    features[0, sample, 63 * side : 63 * (side + 1)] = points.flatten()
    features[0, sample, 126 + 63 * side : 126 + 63 * (side + 1)] = shape.flatten()
    features[0, sample, 252 + side] = 1


def test_a_hand_that_comes_has_no_way_and_one_that_moves_has_it_in_palms() -> None:
    features = hand_features(4)
    for sample, x in enumerate((0.1, 0.2, 0.3)):
        hand = torch.full((21, 3), x)
        hand[9, 1] -= 0.1
        show(features, sample + 1, RIGHT, hand)
    ways = HandFront()(features)[0, :, 43:47]
    assert ways[1].abs().max() == 0
    assert ways[2, 0] == pytest.approx(1)
    assert ways[3].tolist()[::2] == pytest.approx([1, 2])


def test_gaps_are_of_a_hand_that_is_there_and_a_larger_hand_shifts_them_alike() -> None:
    hand = torch.rand(21, 3) + torch.arange(21)[:, None]
    features = hand_features(3)
    for sample, size in ((1, 1.0), (2, 2.0)):
        show(features, sample, RIGHT, hand)
        features[0, sample, 189:252] = (hand * size).flatten()
    gaps = HandFront()(features)[0, :, 47 : 47 + len(GAPS)]
    assert gaps[0].abs().max() == 0
    assert torch.allclose(gaps[2] - gaps[1], torch.tensor(2.0).log(), atol=0.01)


def test_bones_point_the_same_in_a_hand_of_any_size_and_depth_counts() -> None:
    hand = torch.rand(21, 3) + torch.arange(21)[:, None]
    features = hand_features(2)
    show(features, 0, RIGHT, hand)
    show(features, 1, RIGHT, 3 * hand)
    bones = HandFront()(features)[0, :, -60:].unflatten(-1, (20, 3))
    assert torch.allclose(bones[0], bones[1], atol=1e-3)
    assert torch.allclose(bones.norm(dim=-1), torch.ones(2, 20), atol=1e-2)
    assert bones[..., 2].abs().min() > 0


def test_a_left_hand_reads_as_the_mirrored_right_one() -> None:
    rights, lefts = hand_features(3), hand_features(3)
    for sample in range(3):
        hand = torch.rand(21, 3)
        show(rights, sample, RIGHT, hand)
        show(lefts, sample, LEFT, hand * torch.tensor([-1.0, 1.0, 1.0]))
    assert torch.allclose(HandFront()(rights), HandFront()(lefts), atol=1e-5)
    assert HandFront()(rights).shape[-1] == HandFront.FEATURES


def test_of_two_hands_the_higher_one_spells() -> None:
    spelling, resting = torch.rand(21, 3) * 0.2, torch.rand(21, 3) * 0.2 + torch.tensor([0.3, 0.5, 0])
    alone, both = hand_features(2), hand_features(2)
    for sample in range(2):
        for features in (alone, both):
            show(features, sample, LEFT, spelling)
        show(both, sample, RIGHT, resting)
    assert torch.equal(HandFront()(alone), HandFront()(both))


def test_the_seeds_network_has_its_size() -> None:
    """186,542 in its card with 126 features and 46 symbols; Keras counts the norms' running figures (512) and
    has one bias where an LSTM here has two (512)."""
    count = sum(part.numel() for part in ConvBiLstmCtc(126, 46).parameters())
    assert count - 512 + 512 == 186_542
