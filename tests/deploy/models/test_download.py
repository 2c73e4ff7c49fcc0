"""A file is fetched once, resumed where it broke off, and from then on known by its hash."""

import hashlib
from pathlib import Path

import pytest

from deploy.models import download
from deploy.models.download import DownloadError, Downloads
from tests.deploy.models.conftest import Shelf

CONTENT = bytes(range(256)) * 1000


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.0)


def fetch(folder: Path, shelf: Shelf, sha256: str | None = None) -> bytes:
    return Downloads(folder).fetch(shelf.url, sha256, lambda done, total: None).read_bytes()


def test_it_is_fetched_once_and_then_there_without_the_server(tmp_path: Path, shelf: Shelf) -> None:
    shelf.content = CONTENT
    told: list[tuple[int, int | None]] = []
    file = Downloads(tmp_path).fetch(shelf.url, None, lambda done, total: told.append((done, total)))
    assert file.read_bytes() == CONTENT
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    shelf.status = 500
    assert fetch(tmp_path, shelf) == CONTENT
    assert shelf.asked == [""]


def test_what_broke_off_goes_on_from_there(tmp_path: Path, shelf: Shelf) -> None:
    shelf.content, shelf.break_after = CONTENT, [100_000, 50_000]
    assert fetch(tmp_path, shelf) == CONTENT
    assert shelf.asked == ["", "bytes=100000-", "bytes=150000-"]


def test_a_later_call_goes_on_where_an_earlier_gave_up(tmp_path: Path, shelf: Shelf) -> None:
    shelf.content, shelf.break_after = CONTENT, [1000, *[0] * download.TRIES]
    with pytest.raises(DownloadError, match=r"broken off after 1000 bytes .* the same command goes on"):
        fetch(tmp_path, shelf)
    shelf.break_after, shelf.asked = [], []
    assert fetch(tmp_path, shelf) == CONTENT
    assert shelf.asked == ["bytes=1000-"]


def test_halves_of_two_versions_are_never_put_together(tmp_path: Path, shelf: Shelf) -> None:
    shelf.content, shelf.break_after = CONTENT, [1000, *[0] * download.TRIES]
    with pytest.raises(DownloadError):
        fetch(tmp_path, shelf)
    shelf.content, shelf.etag, shelf.break_after = CONTENT[::-1], '"two"', []
    assert fetch(tmp_path, shelf) == CONTENT[::-1]


def test_a_server_that_cannot_resume_starts_again(tmp_path: Path, shelf: Shelf) -> None:
    shelf.content, shelf.break_after, shelf.ranges = CONTENT, [1000], False
    assert fetch(tmp_path, shelf) == CONTENT


def test_a_file_of_another_hash_is_refused_and_not_kept(tmp_path: Path, shelf: Shelf) -> None:
    shelf.content = CONTENT
    with pytest.raises(DownloadError, match=rf"sha256 {'0' * 64} was expected, the file has [0-9a-f]{{64}}"):
        fetch(tmp_path, shelf, "0" * 64)
    assert fetch(tmp_path, shelf, hashlib.sha256(CONTENT).hexdigest()) == CONTENT


def test_the_first_hash_is_required_ever_after(tmp_path: Path, shelf: Shelf) -> None:
    shelf.content = CONTENT
    (whole,) = {Downloads(tmp_path).fetch(shelf.url, None, lambda done, total: None)}
    whole.unlink()
    shelf.content = CONTENT[::-1]
    with pytest.raises(DownloadError, match="was expected"):
        fetch(tmp_path, shelf)
    whole.write_bytes(b"tampered with")
    with pytest.raises(DownloadError, match="was expected"):
        fetch(tmp_path, shelf)


@pytest.mark.parametrize("status", [403, 404])
def test_what_the_server_has_not_is_not_asked_for_again(tmp_path: Path, shelf: Shelf, status: int) -> None:
    shelf.status = status
    with pytest.raises(DownloadError, match=f"the server says {status}"):
        fetch(tmp_path, shelf)
    assert len(shelf.asked) == 1


def test_a_server_in_trouble_is_asked_a_few_times(tmp_path: Path, shelf: Shelf) -> None:
    shelf.status = 503
    with pytest.raises(DownloadError, match="broken off after 0 bytes"):
        fetch(tmp_path, shelf)
    assert len(shelf.asked) == download.TRIES


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "model.onnx"])
def test_other_kinds_of_address_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="begins with https:// or http://"):
        Downloads(tmp_path).fetch(url, None, lambda done, total: None)
