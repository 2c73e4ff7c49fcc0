"""A wheel holds the tree; the version stands in one place."""

import re
import shutil
import zipfile
from pathlib import Path

import pytest

from deploy.release import PACKAGES, ReleaseError, build, check, files_in, version_of
from tests.conftest import ROOT

IGNORED = shutil.ignore_patterns("__pycache__", "assets", ".env")
"""What git ignores in the packages."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that a wheel is built of."""
    folder = tmp_path_factory.mktemp("tree")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=IGNORED)
    for name in ("pyproject.toml", "requirements.in", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def test_a_wheel_holds_the_pages_the_bundles_and_the_deploy_files(tree: Path, tmp_path: Path) -> None:
    files = files_in(tree)
    assert {
        "gateway/static/index.html",
        "gateway/static/signstream.js",
        "shared/models/asl-words/model.onnx",
        "shared/bundles/presets/gislr-mw.toml",
        "deploy/compose.yaml",
        "deploy/Dockerfile",
        "deploy/.env.example",
        "deploy/kubernetes/overlays/production/kustomization.yaml",
        "deploy/redis/users.acl",
        "workers/keypoints/int8_ranges.json",
    } <= files
    wheel = build(tree, tmp_path / "dist", sdist=False)
    check(wheel, files)
    with zipfile.ZipFile(wheel, "a") as packed:
        packed.writestr("shared/left_over.py", "")
    with pytest.raises(
        ReleaseError, match=r"lacks \['shared/x.py'\] and has \['shared/left_over.py'\] besides"
    ):
        check(wheel, files | {"shared/x.py"})


def test_the_version_of_the_images_is_the_projects() -> None:
    overlay = (ROOT / "deploy/kubernetes/overlays/production/kustomization.yaml").read_text("utf-8")
    assert set(re.findall(r"newTag: (\S+?)}", overlay)) == {version_of(ROOT)}
    assert f"## {version_of(ROOT)} (" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_a_tree_that_cannot_be_built_is_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("nonsense")
    with pytest.raises(ReleaseError, match="ends with 1"):
        build(tmp_path, tmp_path / "dist")
