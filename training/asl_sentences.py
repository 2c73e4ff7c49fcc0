"""Makes the bundle `asl-sentences`, from recordings to model card."""

from pathlib import Path

from shared.bundles import load_bundle
from training import recipe
from training.clips import Take, cached_track
from training.continuous import StreamReader
from training.ctc_bundle import CtcRecipe, write_ctc_bundle
from training.ctc_job import Kept, Told, recordings_of, show, streamed
from training.ctc_report import CtcReport
from training.evaluate import HELLO, hello_takes
from training.recordings import Recordings, load_recordings
from training.sentences import WORDS
from training.signed_sentences import MEASURED, PLAN, held_out_streams, measure, train
from training.train import recipe_pipeline
from training.trainer import Progress

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

SPLIT = f"blocks of {recipe.BLOCK} recordings held out, {recipe.FOLDS} folds"


def make(data: Path, folder: Path, cache: Path, told: Told, *, evaluate: bool) -> None:
    """Trains on everything and writes the bundle; with `evaluate` also measures five folds for its card."""
    recordings = load_recordings(data)
    told(f"{len(recordings.clips)} clips: {len(WORDS)} words, letters and rest")

    def progress(now: Progress) -> None:
        told(f"step {now.step}/{now.steps}, loss {now.loss:.3f}, {now.seconds:.0f} s")

    kept = Kept(cache, RECIPE.name)
    network = train(recordings, told=progress, checkpoint=kept.file("all"))
    parameters = network.parameter_count()
    write_ctc_bundle(RECIPE, network, folder, card_text(parameters, None), "not measured", {})
    if evaluate:
        report = _measured(recordings, told, kept, _hello(folder, data, cache))
        write_ctc_bundle(RECIPE, network, folder, card_text(parameters, report), SPLIT, report.metrics())
    kept.forget()


def _measured(recordings: Recordings, told: Told, kept: Kept, hello: float) -> CtcReport:
    folds, streams = [], []
    for fold in range(recipe.FOLDS):
        held_out = recordings.blocks % recipe.FOLDS == fold
        network = train(recordings.part(~held_out), checkpoint=kept.file(f"fold-{fold}"))
        examples = held_out_streams(recordings.part(held_out))
        folds.append(measure(network, examples))
        streams.append(streamed(RECIPE, network, recordings_of(RECIPE, examples)))
        show(told, fold, folds[-1], streams[-1])
    said = f"share of {HELLO}'s takes read as hello hello and nothing else (shipped weights)"
    return CtcReport("WER", tuple(folds), tuple(streams), (("unseen_signer_takes_right", said, hello),))


def _hello(folder: Path, data: Path, cache: Path) -> float:
    """HELLO twice by a signer in no training set, through cameras of 15 to 30 frames a second."""
    reader, takes = StreamReader(load_bundle(folder)), [Take(), *hello_takes()]
    read = [
        [sighting.gloss for sighting in reader.sightings(cached_track(data / "videos" / HELLO, take, cache))]
        for take in takes
    ]
    return sum(glosses == ["hello", "hello"] for glosses in read) / len(read)


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
them to sentences of 2 to 6 words with the hands' way between them, rests, letters and wandering hands that
are no word, at many speeds, seen by other cameras, of other bodies.
`signstream train {RECIPE.name}` makes the graph again (seed {PLAN.seed}, {PLAN.steps} steps; the same package
versions, threads and processor give the same weights).

## Measured

`{command}` measures every figure below, {MEASURED} sentences a fold, read both ways. A fold
holds out whole blocks of {recipe.BLOCK} recordings.

{found}
## What it is not

- The sentences are joined from real frames, but no one signed them as sentences: signers run signs into each
  other more than this.
- It has the words for one kind of talk and no grammar; glosses are not a translation. Do not use it where a
  missed or wrong word does harm.
"""
