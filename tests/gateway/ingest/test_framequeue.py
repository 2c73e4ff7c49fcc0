"""What waits for Redis is bounded and can always be decoded from where it begins."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest.framequeue import FrameQueue
from shared.framelog import Frame


def frame(number: int, keyframe: bool = False, size: int = 10) -> Frame:
    return Frame(data=bytes(size), pts=number, dts=number, keyframe=keyframe)


def drain(queue: FrameQueue) -> list[int]:
    return [queue.get_nowait().pts for _ in range(len(queue))]


def test_nothing_is_kept_before_the_first_keyframe() -> None:
    queue = FrameQueue()
    assert not queue.put(frame(0))
    assert queue.put(frame(1, keyframe=True))
    assert queue.put(frame(2))
    assert drain(queue) == [1, 2]
    assert queue.dropped == 1


def test_a_full_queue_goes_on_from_its_newest_keyframe() -> None:
    queue = FrameQueue(frames=4)
    for number in range(5):
        queue.put(frame(number, keyframe=number in (0, 3)))
    assert drain(queue) == [3, 4]
    assert queue.dropped == 3
    assert not queue.needs_keyframe


def test_a_full_queue_without_another_keyframe_asks_for_one() -> None:
    queue = FrameQueue(frames=4)
    for number in range(7):
        queue.put(frame(number, keyframe=number == 0))
    assert drain(queue) == []
    assert queue.needs_keyframe
    assert queue.dropped == 7
    assert queue.put(frame(7, keyframe=True))


def test_after_a_loss_what_cannot_be_decoded_goes_too() -> None:
    queue = FrameQueue()
    for number in range(4):
        queue.put(frame(number, keyframe=number in (0, 3)))
    queue.get_nowait()
    queue.drop_to_keyframe()
    assert drain(queue) == [3]


async def test_get_waits_for_a_frame() -> None:
    queue = FrameQueue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.put(frame(0, keyframe=True))
    assert (await waiting).pts == 0


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 200), st.booleans())))
def test_it_is_bounded_and_decodable_whatever_comes(steps: list[tuple[bool, int, bool]]) -> None:
    queue = FrameQueue(frames=8, size=500)
    taken: list[int] = []
    keyframes = set()
    for number, (keyframe, size, take) in enumerate(steps):
        queue.put(frame(number, keyframe, size))
        keyframes |= {number} if keyframe else set()
        assert len(queue) <= 8
        if take and len(queue):
            taken.append(queue.get_nowait().pts)
    taken += drain(queue)
    assert len(taken) + queue.dropped == len(steps)
    for before, after in zip([-2, *taken], taken, strict=False):
        assert after == before + 1 or after in keyframes
