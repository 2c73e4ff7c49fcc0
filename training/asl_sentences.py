"""Makes the bundle `asl-sentences`, from recordings to model card."""

from pathlib import Path

from shared.bundles import load_bundle
from training import recipe
from training.clips import Take, cached_track
from training.continuous import StreamReader
from training.ctc_bundle import CtcRecipe
from training.ctc_job import CtcTask, Parts, Shipped
from training.ctc_report import CtcReport
from training.evaluate import HELLO, QUIET_DRAWS, QUIET_MINUTES, hello_takes, quiet_report
from training.recordings import Recordings, load_recordings
from training.sentences import WORDS
from training.signed_sentences import MEASURED, PLAN, TRAINED, held_out_streams, measure, train
from training.train import recipe_pipeline

RECIPE = CtcRecipe(
    name="asl-sentences",
    title="Sentences of fifteen ASL words",
    language="en",
    sign_language="ase",
    labels=WORDS,
    rows=recipe.ROWS,
    pipeline=recipe.PIPELINE,
    features=int(recipe_pipeline().shape[-1]),
    fps=recipe.FPS,
    stride=5,
    dataset="traduttore_asl words, MIT",
    threshold=0.5,
)


def parts(data: Path) -> Parts[Recordings]:
    """The words' recordings, and each fold of their blocks."""
    recordings = load_recordings(data)
    held_out = [recordings.blocks % recipe.FOLDS == fold for fold in range(recipe.FOLDS)]
    return Parts(recordings, tuple((recordings.part(~held), recordings.part(held)) for held in held_out))


def hello(shipped: Shipped) -> tuple[tuple[str, str, float], ...]:
    """HELLO twice by a signer in no training set, through cameras of 15 to 30 frames a second."""
    reader, takes = StreamReader(load_bundle(shipped.bundle)), [Take(), *hello_takes()]
    video = shipped.data / "videos" / HELLO
    read = [
        [sighting.gloss for sighting in reader.sightings(cached_track(video, take, shipped.cache))]
        for take in takes
    ]
    said = f"share of {HELLO}'s takes read as hello hello and nothing else (shipped weights)"
    right = sum(glosses == ["hello", "hello"] for glosses in read)
    return (("unseen_signer_takes_right", said, right / len(read)),)


def quiet(shipped: Shipped) -> tuple[tuple[str, str, float], ...]:
    """What is read where nobody signs."""
    report = quiet_report(load_bundle(shipped.bundle), load_recordings(shipped.data))
    said = (
        f"false glosses in {QUIET_MINUTES} minutes of rest, walking and hands at the face, mean of"
        f" {QUIET_DRAWS} draws (shipped weights; `signstream train quiet`)"
    )
    return (("quiet_false_finals", said, sum(report.finals) / len(report.finals)),)


def card_text(parameters: int, report: CtcReport | None) -> str:
    """The model card; every number comes from the recipe or the report."""
    command = f"signstream train {RECIPE.name} --evaluate"
    found = report.text() if report else f"Not measured for these weights. `{command}` measures.\n"
    return f"""# {RECIPE.name}: sentences of fifteen ASL words

A continuous model of the words of `asl-words`, for sentences without a pause between the signs, such as a
coffee order: hello can i get large coffee please thank-you. It looks at hands and upper body
{recipe.FPS:g} times a second and tells each word once.

Words: {", ".join(WORDS)}.

- Input: MediaPipe Holistic landmarks, {len(recipe.ROWS)} rows of the canonical 543. Left is the signer's own
  left: do not mirror the picture.
- Network: depthwise-separable convolutions over time with a short fixed look ahead, CTC, the blank first;
  {parameters:,} parameters.
- Licence of the weights: Apache-2.0.

## Made from

The words recordings of traduttore/traduttore-model (MIT licence, copyright 2022 traduttore): webcam clips of
single words of three signers, landmarked by their authors. No recording is in this bundle. The training joins
them to sentences of {TRAINED[0]} to {TRAINED[1]} words with the hands' way between them, rests, letters and
wandering hands that are no word, at many speeds, larger and smaller, seen by other cameras, of other bodies.
`signstream train {RECIPE.name}` makes the graph again (seed {PLAN.seed}, {PLAN.steps} steps; the same package
versions, threads and processor give the same weights).

## Measured

`{command}` measures every figure below, {MEASURED} sentences a fold, read both ways. A fold
holds out whole blocks of {recipe.BLOCK} recordings. How other sittings may sign the words (in another arc,
there and back, with handshapes that change earlier or later) was learned from what earlier weights of this
model and of `asl-words` read in folds 0 and 4.

{found}
## What it is not

- The sentences are joined from real frames, but no one signed them as sentences: signers run signs into each
  other more than this.
- It has the words for one kind of talk and no grammar; glosses are not a translation. Do not use it where a
  missed or wrong word does harm.
"""


TASK = CtcTask(
    recipe=RECIPE,
    figure="WER",
    split=f"blocks of {recipe.BLOCK} recordings held out, {recipe.FOLDS} folds",
    load=parts,
    train=train,
    streams=held_out_streams,
    measure=measure,
    extra=lambda shipped: (*hello(shipped), *quiet(shipped)),
    card=card_text,
    chosen_on=2,
)

make = TASK.make
