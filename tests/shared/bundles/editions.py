"""Editions of the shipped bundle, put in place as an operator would."""

import hashlib
import shutil
from pathlib import Path

from shared.bundles import Bundle, load_bundle
from shared.bundles.registry import SHIPPED

NAME = "asl-words"


def put(parent: Path, name: str = NAME, mark: str = "", title: str = "") -> Bundle:
    """Puts an edition of the shipped bundle in place, by renaming; `mark` is put before each label."""
    made = parent / ".made"
    shutil.copytree(SHIPPED / NAME, made)
    manifest = (made / "bundle.toml").read_text("utf-8").replace(f'id = "{NAME}"', f'id = "{name}"')
    if title:
        manifest = manifest.replace('title = "Fifteen ASL words"', f'title = "{title}"')
    before = hashlib.sha256((made / "labels.txt").read_bytes()).hexdigest()
    labels = "".join(mark + line + "\n" for line in (made / "labels.txt").read_text("utf-8").splitlines())
    (made / "labels.txt").write_text(labels, "utf-8")
    manifest = manifest.replace(before, hashlib.sha256(labels.encode()).hexdigest())
    (made / "bundle.toml").write_text(manifest, "utf-8")
    if (parent / name).exists():
        (parent / name).rename(parent / ".gone")
        shutil.rmtree(parent / ".gone")
    made.rename(parent / name)
    return load_bundle(parent / name)
