"""The extractors there are, by the names the settings have for them."""

import logging

from shared.settings import Settings
from workers.keypoints.extractor import Extractor, ExtractorFactory
from workers.keypoints.holistic import Holistic
from workers.keypoints.networks import best_precision, load_networks
from workers.keypoints.profiles import profile_of
from workers.keypoints.tracker import Tracker

log = logging.getLogger(__name__)


def extractor_factory(config: Settings) -> ExtractorFactory:
    """Of the kind the settings ask for. Takes a second where networks are compiled. Raises NetworkError."""
    if config.extractor == "mediapipe":
        return lambda _: Holistic()
    precision = best_precision() if config.precision == "auto" else config.precision
    networks = load_networks(precision)
    log.info("landmarks by the tracker in %s", precision)

    def tracker(rows: frozenset[int]) -> Extractor:
        return Tracker(networks, profile_of(rows))

    return tracker
