"""What differed is named: of real held-out takes, each distorted on purpose in one part alone."""

import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from shared.landmarks import LEFT_HAND, RIGHT_HAND
from tests.pages.conftest import Visit
from tests.pages.practice import takes

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.data]

WORDS = ("hello", "thank-you")
"""Whose movement has a direction, and whose hand is flat."""

FIST = "coffee"

LOWER = 1.0
"""Shoulder widths."""

PER_WORD = 8

KINDS = 5
"""What is made of each take: itself, three distortions, and another sign beside it."""

COMPARED = """
async (text) => {
  const {compared} = await import('/practice/comparison.js');
  const take = ({aspect, times, frames}) =>
    ({aspect, times, frames: frames.map((points) => new Map(points.map(([row, x, y]) => [row, [x, y]])))});
  return JSON.parse(text).map(([example, attempt]) => compared(take(example), take(attempt)));
}
"""


@pytest.fixture(scope="module")
def pairs(data_path: Path) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Kind, word, example without the block, and a take of the block or what was made of it."""
    names, blocks, points = takes.recordings(data_path)
    own = np.stack([takes.in_own_frame(clip) for clip in points])
    fists = np.flatnonzero(names == FIST)
    made = []
    for word in WORDS:
        held_out = np.unique(blocks[names == word])[1]
        others = own[(names == word) & (blocks != held_out)]
        example = takes.take(takes.average(others))
        of_block = np.flatnonzero((names == word) & (blocks == held_out))[::3][:PER_WORD]
        for n, fist in zip(of_block, fists[:: len(fists) // PER_WORD], strict=False):
            clip = points[n]
            kinds = {
                "itself": clip,
                "shape": takes.other_hand(clip, points[fist]),
                "place": takes.elsewhere(clip, LOWER),
                "movement": takes.backwards(clip),
                "another": points[fist],
            }
            made += [(kind, word, example, takes.take(of_kind)) for kind, of_kind in kinds.items()]
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def judged(reader: Visit, pairs: list[Any]) -> list[tuple[str, str, dict[str, Any]]]:
    page = await reader.open("/practice/")
    text = json.dumps([[example, take] for _, _, example, take in pairs])
    found = await page.evaluate(COMPARED, text)
    return [(kind, word, one) for (kind, word, _, _), one in zip(pairs, found, strict=True)]


async def test_a_distorted_hand_shape_place_or_movement_is_named(
    judged: list[tuple[str, str, dict[str, Any]]],
) -> None:
    for part in ("shape", "place", "movement"):
        named = [found["worst"] for kind, _, found in judged if kind == part]
        assert named.count(part) >= 0.85 * len(named), (part, named)
        assert set(named) <= {part, None}, (part, named)
    named = [found["worst"] for kind, _, found in judged if kind == "itself"]
    assert named.count(None) >= 0.85 * len(named), named
    for word in WORDS:
        of_word = [(kind, found) for kind, of, found in judged if of == word]
        best = max(range(0, len(of_word), KINDS), key=lambda n: of_word[n][1]["score"])
        told = {kind: found["worst"] for kind, found in of_word[best : best + KINDS - 1]}
        assert told == {"itself": None, "shape": "shape", "place": "place", "movement": "movement"}


async def test_the_score_falls_from_the_sign_to_the_distorted_sign_to_another(
    judged: list[tuple[str, str, dict[str, Any]]],
) -> None:
    for word in WORDS:
        scores = {
            kind: statistics.median(found["score"] for k, of, found in judged if (k, of) == (kind, word))
            for kind in ("itself", "shape", "place", "movement", "another")
        }
        distorted = [scores[kind] for kind in ("shape", "place", "movement")]
        assert scores["itself"] > 80, scores
        assert scores["itself"] > max(distorted) + 20, scores
        assert min(distorted) > scores["another"], scores


async def test_the_score_rises_as_the_hand_comes_nearer_to_its_place(reader: Visit, pairs: list[Any]) -> None:
    _, _, example, attempt = pairs[0]
    page = await reader.open("/practice/")

    def lower(by: float) -> dict[str, Any]:
        moved = [
            [
                [row, x, y + by * (row in LEFT_HAND or row in RIGHT_HAND or row in (504, 505))]
                for row, x, y in f
            ]
            for f in attempt["frames"]
        ]
        return {**attempt, "frames": moved}

    text = json.dumps([[example, lower(by)] for by in (0.3, 0.2, 0.1, 0.0)])
    scores = [found["score"] for found in await page.evaluate(COMPARED, text)]
    assert scores == sorted(scores)
    assert scores[0] + 30 < scores[-1]


async def test_somebody_who_signs_with_the_other_hand_is_as_good(reader: Visit, pairs: list[Any]) -> None:
    _, _, example, attempt = pairs[0]
    page = await reader.open("/practice/")
    script = """
    async (text) => {
      const taken = (points) => new Map(points.map(([row, x, y]) => [row, [x, y]]));
      const [example, attempt] = JSON.parse(text).map((take) => ({...take, frames: take.frames.map(taken)}));
      const {compared} = await import('/practice/comparison.js');
      const {mirrored} = await import('/practice/motion.js');
      return [compared(example, attempt), compared(example, mirrored(attempt))];
    }
    """
    itself, flipped = await page.evaluate(script, json.dumps([example, attempt]))
    assert (itself["mirrored"], flipped["mirrored"]) == (False, True)
    assert abs(itself["score"] - flipped["score"]) <= 1


NOTHING = """
async () => {
  const {compared} = await import('/practice/comparison.js');
  const hand = (x) => new Map(Array.from({length: 21}, (_, n) => [522 + n, [x + n / 100, n / 50]]));
  const body = [[500, [0.6, 0]], [501, [0.4, 0]]];
  const take = (frames) => ({aspect: 1, times: frames.map((_, n) => n / 12), frames});
  const example = take([0, 1, 2, 3].map((n) => new Map([...body, ...hand(n / 10)])));
  const alone = take([0, 1, 2].map((n) => hand(n / 10)));
  const point = [...hand(0).keys()].map((row) => [row, [0, 0]]);
  return {
    nothing: compared(example, take([])),
    one: compared(example, take([new Map(body)])),
    unseen: compared(example, take([0, 1, 2, 3].map(() => new Map(body)))).unseen,
    nobody: compared(example, take([0, 1, 2, 3].map(() => new Map()))).unseen,
    same: compared(example, example),
    handsAlone: compared(alone, alone),
    point: compared(example, take([0, 1, 2].map(() => new Map([...body, ...point])))),
  };
}
"""


async def test_takes_with_nobody_in_them_are_told_apart_from_bad_ones(reader: Visit) -> None:
    page = await reader.open("/practice/")
    told = await page.evaluate(NOTHING)
    assert told["nothing"] is told["one"] is None
    assert told["unseen"] is told["nobody"] is True
    assert (told["same"]["score"], told["same"]["worst"]) == (100, None)
    assert told["handsAlone"]["score"] == 100
    assert set(told["handsAlone"]["parts"]) == {"shape", "movement"}
    assert told["point"]["unseen"] is True
