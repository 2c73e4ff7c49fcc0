"""Makes the bundle `asl-fingerspelling`, from recordings to model card."""

from pathlib import Path

from training.ctc_bundle import CtcRecipe
from training.ctc_job import CtcTask, Parts, Shipped
from training.ctc_report import CtcReport
from training.datasets.letters import (
    BLOCK,
    FOLDS,
    LETTERS,
    NEAR,
    ROWS,
    Letters,
    load_letters,
    load_more_letters,
)
from training.fingerspelling import (
    MEASURED,
    PIPELINE,
    PLAN,
    held_out_streams,
    measure,
    one_by_one,
    pipeline,
    train,
    unseen_signer,
)
from training.spelling import RATE

RECIPE = CtcRecipe(
    name="asl-fingerspelling",
    title="American fingerspelling",
    language="en",
    sign_language="ase",
    labels=LETTERS,
    rows=ROWS,
    pipeline=PIPELINE,
    features=int(pipeline().shape[-1]),
    fps=RATE,
    stride=5,
    dataset="traduttore_asl letters, MIT",
    separator_ids=(LETTERS.index("space"),),
    threshold=0.25,
    front_reach=2,
)


def parts(data: Path) -> Parts[Letters]:
    """Both files' letters; only the first one's blocks are held out."""
    letters, more = load_letters(data), load_more_letters(data)
    folds = [letters.fold(number) for number in range(FOLDS)]
    return Parts(
        letters + more, tuple((known + more.apart_from(held_out), held_out) for known, held_out in folds)
    )


def unseen(shipped: Shipped) -> tuple[tuple[str, str, float], ...]:
    """The letters of a signer in no training set."""
    said = "top-1 over the 26 letters of a signer in no training set, one clip each (shipped weights)"
    return (("unseen_signer_top1", said, unseen_signer(shipped.network, shipped.data)),)


def card_text(parameters: int, report: CtcReport | None) -> str:
    """The model card; every number comes from the recipe or the report."""
    command = f"signstream train {RECIPE.name} --evaluate"
    found = report.text() if report else f"Not measured for these weights. `{command}` measures.\n"
    return f"""# {RECIPE.name}: American fingerspelling

A continuous model that reads the American manual alphabet, a-z and a sign for space, letter by letter while
the hand is still spelling. It looks at the hand that spells, the higher one of two, {RATE:g} times a second.

- Input: MediaPipe hands, {len(ROWS)} rows of the canonical 543. Left is the signer's own left: do not mirror
  the picture. Either hand may spell.
- Network: depthwise-separable convolutions over time with a short fixed look ahead, CTC, the blank first;
  {parameters:,} parameters.
- Licence of the weights: Apache-2.0.

## Made from

The letters recordings of traduttore/traduttore-model (MIT licence, copyright 2022 traduttore): 3,150 webcam
clips of single letters, mostly held still, landmarked by their authors, and 1,155 more of eighteen of the
letters and of idle hands among their recordings of words. No recording is in this bundle. The training joins
them to streams: letters at one to four a second, ways between them, doubled letters that slide or open,
pauses, hands between those recorded and a little beyond, paths drawn with the hands of the poses they begin
with, turned in space, of other proportions, and lost for moments.
`signstream train {RECIPE.name}` makes the graph again (seed {PLAN.seed}, {PLAN.steps} steps; the same package
versions, threads and processor give the same weights).

## Measured

`{command}` measures every figure below, {MEASURED} streams a fold, read both ways. A fold
holds out one block of {BLOCK} recordings of every letter; a block is one sitting of one signer. Sittings
among the words' recordings in which a hand lies within {NEAR:g} of the picture's height of one held out are
left out of that fold's training. A path (`j`, `z`) is joined from where its hand begins to move. The features
and the ways to draw a path were chosen on another block, the third of each letter.

{found}
## What it is not

- The streams are joined from real frames, but no one spelled them: nothing here measures fluent spelling of
  five letters a second and more, where hands run letters into each other.
- The sittings are mostly of the same few signers; one more signer's 26 clips are all else it was tried on.
- A hand that rests or gestures in front of the camera may be read as letters. So may one that comes up after
  no hand was seen for more than a second: a letter too many may stand before the first.
"""


TASK = CtcTask(
    recipe=RECIPE,
    figure="CER",
    split=f"one block of {BLOCK} recordings a letter held out, {FOLDS} folds",
    load=parts,
    train=train,
    streams=held_out_streams,
    measure=measure,
    extra=unseen,
    card=card_text,
    chosen_on=1,
    single=one_by_one,
)

make = TASK.make
