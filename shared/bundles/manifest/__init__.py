"""What `bundle.toml` says. Nothing about a model is inferred: what is not written here is refused.

Unknown keys are errors, so that a misspelt one is not silently without effect.
"""

from shared.bundles.manifest.graphs import Channel, Embeddings, FeatureGraph, State
from shared.bundles.manifest.input import Input, Length, Picture, Step, Tensor
from shared.bundles.manifest.output import Ctc, Labels, Output
from shared.bundles.manifest.streaming import Streaming
from shared.bundles.manifest.whole import SCHEMA_VERSION, Extractor, Manifest, Quality

__all__ = [
    "SCHEMA_VERSION",
    "Channel",
    "Ctc",
    "Embeddings",
    "Extractor",
    "FeatureGraph",
    "Input",
    "Labels",
    "Length",
    "Manifest",
    "Output",
    "Picture",
    "Quality",
    "State",
    "Step",
    "Streaming",
    "Tensor",
]
