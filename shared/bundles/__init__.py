"""Models as bundles: a folder with a manifest, graphs, labels and a model card."""

from shared.bundles.bundle import Bundle, load_bundle
from shared.bundles.error import BundleError
from shared.bundles.manifest import Manifest
from shared.bundles.registry import Registry
from shared.bundles.watch import ModelWatch

__all__ = ["Bundle", "BundleError", "Manifest", "ModelWatch", "Registry", "load_bundle"]
