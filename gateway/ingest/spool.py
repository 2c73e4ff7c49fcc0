"""An upload's body on disk, in a file that has no name: it goes with its last handle, whatever happens."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import IO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

BUFFER_BYTES = 1 << 20
"""Written at once, by a thread."""

IDLE_SECONDS = 30.0
"""A client that sends nothing for this long is gone."""

FORM_EXTRA_BYTES = 64 * 1024
"""What a form may hold around the file."""

FIELD = "file"


class BodyError(ValueError):
    """Why a body is not taken: `status` is HTTP's, the text a sentence for whoever sent it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def spool(
    chunks: AsyncIterator[bytes], content_type: str, content_length: int | None, limit: int
) -> IO[bytes]:
    """Reads the whole body, or the form's field `file`, and returns the open, rewound file.

    Raises BodyError: 400 empty or malformed, 408 stalled, 413 above `limit` bytes. Leaves no file then.
    """
    boundary = _boundary(content_type)
    too_large = BodyError(413, f"the video is larger than {limit} bytes, the most this server takes")
    if content_length is not None and content_length > limit + (FORM_EXTRA_BYTES if boundary else 0):
        raise too_large
    field = _FormField(boundary) if boundary is not None else None
    file: IO[bytes] = tempfile.TemporaryFile(buffering=BUFFER_BYTES)  # noqa: SIM115
    try:
        size = extra = 0
        async for received in _each_in_time(chunks):
            data = field.feed(received) if field else received
            size += len(data)
            extra += len(received) - len(data)
            if size > limit or extra > FORM_EXTRA_BYTES + size // 8:
                raise too_large
            await asyncio.to_thread(file.write, data)
        if field and not field.complete:
            raise BodyError(400, f"the form ended before its field {FIELD!r} did, or it has none")
        if size == 0:
            raise BodyError(400, "the body is empty; it must be a video file")
        await asyncio.to_thread(file.seek, 0)
    except BaseException:
        file.close()
        raise
    return file


async def _each_in_time(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    iterator = aiter(chunks)
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                chunk = await anext(iterator)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise BodyError(408, f"nothing came for {IDLE_SECONDS:.0f} s") from error
        if chunk:
            yield chunk


def _boundary(content_type: str) -> bytes | None:
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        return None
    boundary = options.get(b"boundary")
    if not boundary:
        raise BodyError(400, "multipart/form-data needs a boundary")
    return boundary


class _FormField:
    """The bytes of one field of a multipart form, as they come (RFC 7578)."""

    def __init__(self, boundary: bytes) -> None:
        self.complete = False
        self._found: list[bytes] = []
        self._wanted = False
        self._name = b""
        self._value = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_header_field": self._on_name,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header_end,
                "on_part_data": self._on_data,
                "on_part_end": self._on_part_end,
            },
        )

    def feed(self, chunk: bytes) -> bytes:
        """What of the field was in this piece of the body."""
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise BodyError(400, f"malformed form: {error}") from error
        found = b"".join(self._found)
        self._found.clear()
        return found

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._wanted = options.get(b"name") == FIELD.encode() and not self.complete
        self._name = self._value = b""

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            self._found.append(data[start:end])

    def _on_part_end(self) -> None:
        self.complete = self.complete or self._wanted
        self._wanted = False
