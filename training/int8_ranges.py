"""The ranges that the int8 form of the landmark networks is made with, from recordings:
`python -m training.int8_ranges VIDEO...` writes `workers/keypoints/int8_ranges.json`.

The tracker runs over the recordings in f32; what each network is shown is kept now and then, and the
network run again on it with an eye on every place that is to be rounded. Only two numbers a place are
written: the mean over the pictures of the least and of the largest number there.
"""

import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray
from rich.progress import track

from training.clips import read_pictures
from workers.keypoints.int8 import RANGES, Range, places
from workers.keypoints.networks import QUANTIZED, Source, compile_network, load_networks, read_network
from workers.keypoints.tracker import Tracker

EVERY = 4
"""Of the times a network is run, one is kept: neighbours show nearly the same."""

Shown = NDArray[np.uint8]


def ranges_of(source: Source, shown: Sequence[Shown]) -> list[Range]:
    """Of every place of a network over what it was shown, uint8 [1, side, side, 3] each."""
    model = read_network(source)
    at = [node.input(0).get_source_output() for node in places(model)]
    watched = openvino.Model(at, model.get_parameters(), model.get_friendly_name())
    request = compile_network(watched, source, "f32").create_infer_request()
    lows, highs = np.zeros((2, len(shown), len(at)))
    for number, picture in enumerate(shown):
        outputs = request.infer([picture])
        for place in range(len(at)):
            lows[number, place], highs[number, place] = outputs[place].min(), outputs[place].max()
    return [(_short(low), _short(high)) for low, high in zip(lows.mean(0), highs.mean(0), strict=True)]


def seen_by_tracker(videos: Sequence[Path]) -> dict[Source, list[Shown]]:
    """What the tracker shows the networks of recordings. Raises OSError for what is no video."""
    networks = load_networks("f32")
    seen: dict[Source, list[Shown]] = {source: [] for source in QUANTIZED}
    runs = dict.fromkeys(QUANTIZED, 0)
    for source, network in zip(QUANTIZED, (networks.hand, networks.pose), strict=True):
        network.watch(partial(_keep, seen[source], runs, source))
    for video in track(videos, "landmarks"):
        tracker = Tracker(networks)
        for time, picture in zip(*read_pictures(video), strict=True):
            tracker.landmarks(picture, time)
    return seen


def _keep(kept: list[Shown], runs: dict[Source, int], source: Source, shown: Shown) -> None:
    if runs[source] % EVERY == 0:
        kept.append(shown.copy())
    runs[source] += 1


def _short(number: float) -> float:
    return float(f"{number:.5g}")


def main(videos: Sequence[str]) -> int:
    """Writes the file; the exit status."""
    if not videos or videos[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if videos else 2
    seen = seen_by_tracker([Path(video) for video in videos])
    made: dict[str, Any] = {}
    for source in track(QUANTIZED, "ranges"):
        made[Path(source.path).name] = ranges_of(source, seen[source])
    RANGES.write_text(json.dumps(made, indent=0).replace("[\n", "[").replace(",\n", ", ") + "\n", "utf-8")
    print(f"{RANGES.name}: {', '.join(f'{name} {len(ranges)}' for name, ranges in made.items())} places")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
