"""Fetches a file over HTTP once: resumed where it broke off, and known by its hash from then on.

Everything lies in one folder: `NAME.part` while it grows, `NAME` when it is whole, `NAME.json` with the
address, the server's validator and the hash. NAME is made of the address.
"""

import contextlib
import dataclasses
import hashlib
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from deploy.models.making import hash_of

CHUNK_BYTES = 2**20

TIMEOUT_SECONDS = 30.0
"""Without a byte for so long, the connection is given up and resumed."""

TRIES = 5
PAUSE_SECONDS = 1.0
"""Before the second try; twice as long before each further one."""

Progress = Callable[[int, int | None], None]
"""Called with the bytes there are and, where the server says, the bytes there will be."""


class DownloadError(RuntimeError):
    """The file cannot be had, or is another than the one expected; says which and why."""


@dataclasses.dataclass(frozen=True)
class Record:
    """What is known of an address."""

    url: str
    validator: str = ""
    """The server's strong ETag or its date of last change: what a part belongs to."""
    sha256: str = ""
    """Of the whole file, once it was whole; required ever after."""


class Downloads:
    """A folder of fetched files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, url: str, sha256: str | None, progress: Progress) -> Path:
        """The file at that address: from the folder where it is whole, without asking anyone, else fetched.

        `sha256` is required of it, or without one what was recorded at the first download. Raises
        DownloadError; what was fetched until then is kept for the next call, what has a wrong hash is not.
        """
        require_http(url)
        self._folder.mkdir(parents=True, exist_ok=True)
        name = self._folder / hashlib.sha256(url.encode()).hexdigest()[:32]
        record = self._record(name, url)
        wanted = sha256 or record.sha256
        if name.is_file():
            self._require(name, url, wanted)
            return name
        part = name.with_suffix(".part")
        self._fetch(part, name, record, progress)
        try:
            self._require(part, url, wanted)
        except DownloadError:
            part.unlink()
            raise
        part.replace(name)
        self._write(name, dataclasses.replace(self._record(name, url), sha256=wanted or hash_of(name)))
        return name

    def _fetch(self, part: Path, name: Path, record: Record, progress: Progress) -> None:
        for tried in range(TRIES):
            if tried:
                time.sleep(PAUSE_SECONDS * 2 ** (tried - 1))
            before = part.stat().st_size if part.exists() else 0
            try:
                record = self._go_on(part, name, record, progress)
                return
            except (OSError, HTTPException) as error:
                _require_worth_trying(record.url, error)
                broken = error
            # What grew is worth going on with, however often.
            record = self._record(name, record.url)
            if part.exists() and part.stat().st_size > before:
                continue
        there = part.stat().st_size if part.exists() else 0
        raise DownloadError(
            f"{record.url}: broken off after {there} bytes ({broken}); the same command goes on from there"
        )

    def _go_on(self, part: Path, name: Path, record: Record, progress: Progress) -> Record:
        there = part.stat().st_size if part.exists() and record.validator else 0
        headers = {"User-Agent": "signstream", "Accept-Encoding": "identity"}
        if there:
            headers |= {"Range": f"bytes={there}-", "If-Range": record.validator}
        request = urllib.request.Request(record.url, headers=headers)
        with contextlib.closing(_opened(request)) as answer:
            resumed = answer.status == 206 and _range_start(answer) == there
            if answer.status == 206 and not resumed:
                part.unlink(missing_ok=True)
                raise HTTPException(f"asked for bytes from {there}, got {answer.headers['Content-Range']}")
            record = dataclasses.replace(record, validator=_validator(answer))
            self._write(name, record)
            done = there if resumed else 0
            left = answer.headers["Content-Length"]
            total = done + int(left) if left and left.isdecimal() else None
            with part.open("ab" if resumed else "wb") as file:
                progress(done, total)
                while chunk := answer.read(CHUNK_BYTES):
                    file.write(chunk)
                    done += len(chunk)
                    progress(done, total)
            if total is not None and done < total:
                raise HTTPException(f"the server ended after {done} of {total} bytes")
        return record

    def _record(self, name: Path, url: str) -> Record:
        file = name.with_suffix(".json")
        with contextlib.suppress(OSError, ValueError, TypeError):
            fields: Any = json.loads(file.read_text("utf-8"))
            record = Record(**fields)
            if record.url == url:
                return record
        return Record(url)

    def _write(self, name: Path, record: Record) -> None:
        file = name.with_suffix(".json")
        new = file.with_suffix(".new")
        new.write_text(json.dumps(dataclasses.asdict(record)), "utf-8")
        new.replace(file)

    def _require(self, file: Path, url: str, wanted: str | None) -> None:
        found = hash_of(file)
        if wanted and found != wanted:
            raise DownloadError(f"{url}: sha256 {wanted} was expected, the file has {found}")


def require_http(url: str) -> None:
    """DownloadError for an address of another kind."""
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise DownloadError(f"{url}: expected an address that begins with https:// or http://")


def _opened(request: urllib.request.Request) -> HTTPResponse:
    answer: HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    return answer


def _validator(answer: HTTPResponse) -> str:
    """Only a strong one tells that two halves are of one file (RFC 9110, 13.1.5)."""
    tag = answer.headers["ETag"] or ""
    return tag if tag and not tag.startswith("W/") else answer.headers["Last-Modified"] or ""


def _range_start(answer: HTTPResponse) -> int | None:
    said = (answer.headers["Content-Range"] or "").removeprefix("bytes ").partition("-")[0]
    return int(said) if said.isdecimal() else None


def _require_worth_trying(url: str, error: Exception) -> None:
    """DownloadError where the server has answered, and would answer the same again."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        if error.code < 500 and error.code not in (408, 429):
            raise DownloadError(f"{url}: the server says {error.code} {error.reason}") from error
