"""Zips are unpacked only where everything in them lies inside the bundle."""

import stat
import zipfile
from pathlib import Path

import pytest

from deploy.models import archive
from deploy.models.archive import is_archive, unpack
from shared.bundles import BundleError, load_bundle
from shared.bundles.registry import SHIPPED


def zipped(file: Path, *names: str) -> Path:
    with zipfile.ZipFile(file, "w") as out:
        for name in names:
            out.writestr(name, "x")
    return file


@pytest.mark.parametrize("top", ["", "asl-words/"])
def test_a_bundle_comes_out_as_it_went_in(tmp_path: Path, top: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as out:
        for file in (SHIPPED / "asl-words").iterdir():
            out.write(file, top + file.name)
    assert is_archive(tmp_path / "a.zip")
    unpack(tmp_path / "a.zip", tmp_path / "asl-words")
    assert load_bundle(tmp_path / "asl-words").name == "asl-words"


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("bundle.toml", "../evil"), r"'\.\./evil' is outside the bundle"),
        (("bundle.toml", "/etc/evil"), r"'/etc/evil' is outside"),
        (("bundle.toml", "a/../../evil"), r"is outside the bundle"),
        (("bundle.toml", "a\\..\\evil"), r"is outside the bundle"),
        (("a/b/bundle.toml",), r"expected one, at the top or in one folder"),
        (("a/bundle.toml", "b/bundle.toml"), r"2 files bundle\.toml, expected one"),
        (("a/bundle.toml", "b/model.onnx"), r"'b/model\.onnx' lies beside the bundle's folder 'a'"),
        (("model.onnx",), r"0 files bundle\.toml"),
    ],
)
def test_what_lies_elsewhere_is_refused(tmp_path: Path, names: tuple[str, ...], says: str) -> None:
    with pytest.raises(BundleError, match=says):
        unpack(zipped(tmp_path / "a.zip", *names), tmp_path / "in" / "out")
    assert not (tmp_path / "in" / "evil").exists()
    assert not (tmp_path / "evil").exists()


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("model.onnx")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as out:
        out.writestr("bundle.toml", "x")
        out.writestr(link, "/etc/passwd")
    with pytest.raises(BundleError, match=r"'model\.onnx' is a link"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("bundle.toml", bytes(2000))
    with pytest.raises(BundleError, match="unpacks to more than"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_broken_zip_is_refused(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.zip", "bundle.toml")
    file.write_bytes(file.read_bytes()[:-30])
    assert not is_archive(file)
    with pytest.raises(BundleError, match="a broken zip"):
        unpack(file, tmp_path / "out")
