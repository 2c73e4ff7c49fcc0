"""The model card's text. Every number in it comes from the recipe or from a report."""

from training import recipe
from training.report import Report

_COMMAND = f"signstream train {recipe.NAME} --evaluate"


def card_text(parameters: int, graph_bytes: int, report: Report | None) -> str:
    """Markdown."""
    measured = _measured(report) if report else f"Not measured for these weights. `{_COMMAND}` measures.\n"
    return f"""# {recipe.NAME}: fifteen ASL words

An isolated-sign model of American Sign Language for a camera that never stops. It looks at hands and
upper body (no face mesh) {recipe.FPS:g} times a second, in windows of {recipe.WINDOW} samples, and answers
with one of {len(recipe.WORDS)} words, with `{recipe.IDLE}` (rest, and everything between signs) or with
`{recipe.UNKNOWN}` (signing that is none of the words).

Words: {", ".join(recipe.WORDS)}.

- Input: MediaPipe Holistic landmarks, {len(recipe.ROWS)} rows of the canonical 543; the steps that make them
  features stand in `bundle.toml`. Left is the signer's own left: do not mirror the picture.
- Networks: of five depthwise-separable convolutions over time each. One tells which word it is, with a ridge
  regression over the window added; a second tells with it whether it is one at all, and the smaller belief
  counts. {recipe.SINGLES} small ones, which know single recordings, tell rest from unknown signing and have a
  voice in which word it is.
  {parameters:,} parameters together, {graph_bytes / 2**20:.1f} MB of ONNX, any number of windows side by
  side. They see nothing outside their window and keep nothing from one window to the next.
- Licence of the weights: Apache-2.0.

## Made from

The words recordings of traduttore/traduttore-model (MIT licence, copyright 2022 traduttore): 4,633 webcam
clips of three signers, landmarked by their authors. No recording is in this bundle. The clips hold one word
each; the training joins them to streams with rest, comings and goings of the hands, letters, halves of
different words, words played backwards, wrong handshapes, wandering poses, walking and hands at the face, so
that the model learns what is no word.
`signstream train {recipe.NAME}` makes the graph again (seed {recipe.SEED}; {recipe.STEPS},
{recipe.WHETHER_STEPS} and {recipe.SINGLES} times {recipe.SINGLE_STEPS} steps; the same package versions,
threads and processor give the same weights).

## Measured

`{_COMMAND}` measures every figure below. These were taken with its parts, run one by one.

{measured}
## What it is not

- Three signers taught it; one more, and six clips of other sign languages, are all it was tried on. Expect
  more misses with other people, cameras from the side, and signs that begin or end mid-movement.
- The clips of `asl_hello_x2` and of other languages were looked at while the augmentation, the length of
  training and the thresholds were chosen, some fifteen times: they are no untouched test. What was chosen on
  folds is said in docs/training.md; that folds 0 and 4 have sittings signed otherwise was known.
- The minutes without a sign are other draws of what training draws from, idle clips and all: they say that
  the model learned what rest is made of here, not what it makes of other people's rest.
- Signing that is none of its words is answered with one of them at times: see the letters (most as `a` or
  `i`, whose handshapes they share) and the other languages above. What keeps it from that also takes a
  word for `unknown` where a sitting signs it otherwise than all others: the third line of figures.
- The weights by which the small networks are joined to the others were chosen by the second line of figures
  and by the clips: it flatters by as much as docs/training.md says.
- It knows fifteen words. `a` and `i` are also letters, and a held fist or little finger is all they are.
- It does not translate: glosses are not sentences. Do not use it where a missed or wrong word does harm.
- Skin, clothing and light matter only as far as MediaPipe finds the landmarks; that was not measured here.
"""


def _measured(report: Report) -> str:
    hello = report.hello
    asked = "\n".join(f"| {name} | {'yes' if right else 'no'} |" for name, right in hello.asked)
    finals = ", ".join(str(count) for count in report.quiet.finals)
    right = 100 * sum(report.words) / len(report.words)
    wrong = 100 * sum(report.wrong) / len(report.wrong)
    others = "\n".join(
        f"| {other.clip} | {other.runs} | {other.runs_with_finals} | {other.most_finals} |"
        for other in report.others
    )
    return f"""Recording blocks held out whole ({recipe.BLOCK} recordings a block, {recipe.FOLDS} folds, each
by networks trained without it, the larger two for {recipe.FOLD_STEPS} steps; the shipped are trained on all,
and those longer):

| | |
|---|---|
| top-1 of each fold, one window a clip: which of the fifteen words | {_listed(report.among)} |
| the same with idle clips, which word or `idle` | {_listed(report.folds)} |
| the same where `unknown` may be answered too, which is wrong | {_listed(report.open)} |
| a word clip in a stream brings its gloss and no other | {right:.1f} % |
| a word clip in a stream brings a wrong gloss | {wrong:.1f} % |
| a letter clip, no word, brings a gloss | {100 * report.letters:.1f} % |

HELLO twice by a signer in no training set (`asl_hello_x2`), through cameras of 15 to 30 frames a second, two
sizes, JPEG and VP8, any phase, up to 20 % lost frames, noise on the landmarks:

| | |
|---|---|
| runs | {hello.runs} |
| exactly hello, hello | {hello.right} |
| start and end of both against the plain run, after one shift, 95th percentile / worst | \
{hello.times_p95:.2f} s / {hello.times_worst:.2f} s |
| lowest confidence of a gloss | {hello.lowest_confidence:.2f} |

| the clip through one camera | hello, hello |
|---|---|
{asked}

{report.quiet.minutes:g} minutes of rest, walking and hands at the face, built from the recorded idle
clips, drawn {len(report.quiet.finals)} times: {finals} false final glosses (`signstream train quiet`).

Signs of other languages, none of them a word of this model, through the same:

| clip | runs | runs with a gloss | most glosses in a run |
|---|---|---|---|
{others}
"""


def _listed(shares: tuple[float, ...]) -> str:
    """Percent of each fold, and their mean."""
    each = ", ".join(f"{100 * share:.1f}" for share in shares)
    return f"{each} % (mean {100 * sum(shares) / len(shares):.1f} %)"
