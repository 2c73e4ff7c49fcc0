"""What `signstream models check` asks of a model beyond loading it."""

import numpy as np

from shared.bundles import Bundle, BundleError
from workers.recognizers.graphs import Recognizer
from workers.recognizers.reader import ChunkReader, Reader

SAME = 1e-4
"""How far two runs may be apart: threads add numbers up in another order, a random query moves them more."""


def checked(bundle: Bundle) -> Recognizer:
    """The bundle's model, with everything tried that would be at its first window. Raises BundleError."""
    recognizer = Recognizer(bundle)
    if bundle.states:
        ChunkReader(recognizer)
    elif bundle.ctc is not None:
        Reader(recognizer)
    require_repeatable(recognizer)
    return recognizer


def require_repeatable(recognizer: Recognizer) -> None:
    """Refuses a graph whose answer to the same window differs: a random mask or query is left in it."""
    first, second = (recognizer.probe(seed=1).scores for _ in range(2))
    apart = float(np.abs(first - second).max()) if first.shape == second.shape else float("inf")
    if apart > SAME * max(1.0, float(np.abs(first).max())):
        raise BundleError(
            f"{recognizer.bundle.name}: graph {recognizer.bundle.manifest.graph!r} gives two answers to one"
            f" window, {apart:.3g} apart: it draws random numbers; export it with them frozen"
        )


def warnings(recognizer: Recognizer) -> list[str]:
    """What is allowed and probably a mistake."""
    found = []
    manifest, bundle = recognizer.bundle.manifest, recognizer.bundle
    if np.allclose(recognizer.probe(seed=1).scores, recognizer.probe(seed=2).scores, atol=1e-7, rtol=0):
        found.append("two different windows get the same answer: the graph may not see its input")
    if manifest.ctc is not None:
        symbols = recognizer.probe(seed=1).scores.argmax(axis=-1)
        often = int(np.bincount(symbols, minlength=len(bundle.symbols)).argmax())
        if often != manifest.ctc.blank:
            found.append(
                f"ctc.blank says {manifest.ctc.blank}, noise is mostly answered with {often}"
                f" ({bundle.symbols[often]!r}): is that the blank?"
            )
    elif not manifest.labels.background_ids:
        found.append("labels.background_ids is empty: every window is taken for a sign")
    if not manifest.quality.metrics:
        found.append("quality.metrics is empty: nobody can tell how good it is")
    if manifest.license.strip().lower() in ("", "unknown"):
        found.append("license is unknown: ask its authors before you serve it to others")
    return found
