"""A continuous model: what its graph says of a window, read as symbols with times."""

from collections.abc import Sequence
from pathlib import Path

from shared.bundles import Bundle, BundleError
from shared.messages import Symbol, Window
from workers.recognizers.ctc.decoder import Decoder, Decoding
from workers.recognizers.ctc.lexicon import read_lexicon
from workers.recognizers.ctc.ngram import read_ngram
from workers.recognizers.ctc.reading import Frames
from workers.recognizers.graphs import Recognizer
from workers.recognizers.states import States


class Reader:
    """Reads windows with a bundle's graph and the decoder its `[ctc]` names.

    Pure, as the recognizer is. Raises BundleError where decoder and bundle do not fit together.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self.bundle = recognizer.bundle
        self.seconds = recognizer.seconds
        self._decoder = decoder_of(self.bundle)

    def look_ahead(self, windows: Sequence[Window]) -> None:
        """As the recognizer does."""
        self._recognizer.look_ahead(windows)

    def run_ahead(self) -> None:
        """As the recognizer does."""
        self._recognizer.run_ahead()

    def read(self, window: Window) -> list[Symbol]:
        """Its symbols in order, those that neighbouring windows see better among them.

        Raises ValueError where the window is not of the shape the bundle asks for.
        """
        log_probs = self._recognizer.log_probabilities(window)
        return self._decoder.read(log_probs, frames_of(self.bundle, window.start))


class ChunkReader:
    """Reads a session's chunks one on top of the other: a bundle with `[[state]]`.

    Pure too: the same window on top of the same states gives the same. Raises BundleError as `Reader` does.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self.bundle = bundle = recognizer.bundle
        self._decoder = decoder_of(bundle)
        if bundle.stride != bundle.samples:
            raise BundleError(
                f"{bundle.name}: streaming.stride says {bundle.stride}, expected {bundle.samples}:"
                " with [[state]] windows share no sample"
            )
        if bundle.ctc is not None and bundle.ctc.decoder != "greedy":
            raise BundleError(
                f"{bundle.name}: ctc.decoder says {bundle.ctc.decoder!r}, with [[state]] it is 'greedy':"
                " a beam would begin anew with every chunk"
            )

    @property
    def fps(self) -> float:
        """Samples a second."""
        return self.bundle.fps

    def advance(self, window: Window, states: States | None) -> tuple[list[Symbol], States]:
        """The symbols of the session's next chunk, going on from its states; None before the first.

        Raises ValueError where the window is not of the shape the bundle asks for.
        """
        log_probs, after = self._recognizer.advance(window, states)
        return self._decoder.read(log_probs, frames_of(self.bundle, window.start)), after


def frames_of(bundle: Bundle, start: float) -> Frames:
    """Where the graph's steps lie for samples that begin at `start`, seconds: each amid its samples."""
    reduction = bundle.ctc.reduction if bundle.ctc else 1
    return Frames(zero=start + (reduction - 1) / 2 / bundle.fps, hop=reduction / bundle.fps)


def decoder_of(bundle: Bundle) -> Decoder:
    """The decoder of a bundle with `[ctc]`. Raises BundleError for files that do not fit its labels."""
    ctc = bundle.ctc
    if ctc is None:
        raise BundleError(f"{bundle.name}: [ctc] is missing, only a model with it reads symbols")
    try:
        lexicon, ngram = None, None
        if ctc.lexicon:
            separators = [bundle.labels[i] for i in ctc.separator_ids]
            if len(separators) > 1:
                raise BundleError(
                    f"{bundle.name}: ctc.separator_ids are {separators}, a lexicon expects one at most"
                )
            lexicon = read_lexicon(_file(bundle, ctc.lexicon), bundle.symbols, "".join(separators))
        if ctc.ngram:
            ngram = read_ngram(_file(bundle, ctc.ngram))
        background = frozenset(i + (i >= ctc.blank) for i in bundle.manifest.labels.background_ids)
        decoding = Decoding(
            blank=ctc.blank,
            merge_repeated=ctc.merge_repeated,
            decoder=ctc.decoder,
            beam_width=ctc.beam_width,
            lexicon=lexicon,
            ngram=ngram,
            ngram_weight=ctc.ngram_weight,
            background=background,
        )
        return Decoder(bundle.symbols, decoding)
    except BundleError:
        raise
    except (OSError, ValueError) as error:
        raise BundleError(f"{bundle.name}: ctc: {error}") from error


def _file(bundle: Bundle, name: str) -> Path:
    return bundle.folder / name
