"""TFRecord files of `tf.train.Example` without TensorFlow: framing, check sums, and the fields in use.

A record is its length (uint64), the masked CRC-32C of that, the data, and the masked CRC-32C of the data, all
little-endian (tensorflow.org, "TFRecord and tf.train.Example"). The data is a protocol buffer: a map from a
name to a list of bytes, floats or whole numbers.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from training.datasets.errors import DatasetError, require_file

Value = Sequence[bytes] | Sequence[int] | Sequence[float]
Record = Mapping[str, Value]

_POLYNOMIAL, _MASK = 0x82F63B78, 0xA282EAD8

_BYTES, _FLOATS, _INTS = 1, 2, 3
"""Fields of `Feature`."""

_LENGTH_DELIMITED, _VARINT, _FIXED32 = 2, 0, 5
"""Wire types."""

_EXPECTED = "a TFRecord file of tf.train.Example"


def _table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)  # noqa: PLW2901
        table.append(byte)
    return table


_CRC = _table()


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli)."""
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ _CRC[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def _masked(data: bytes) -> int:
    value = crc32c(data)
    return (((value >> 15) | (value << 17)) + _MASK) & 0xFFFFFFFF


def write_records(file: Path, records: Iterable[Record]) -> int:
    """Writes them all; returns how many."""
    count = 0
    with file.open("wb") as out:
        for record in records:
            data, length = _encoded(record), b""
            length = struct.pack("<Q", len(data))
            out.write(length + struct.pack("<I", _masked(length)))
            out.write(data + struct.pack("<I", _masked(data)))
            count += 1
    return count


def read_records(file: Path) -> Iterator[dict[str, Value]]:
    """Every record in order. DatasetError names the file and the record that is cut off or damaged."""
    require_file(file, _EXPECTED)
    with file.open("rb") as source:
        number = 0
        while head := source.read(12):
            where = f"record {number}"
            if len(head) < 12:
                raise DatasetError(file, f"{where} is cut off", _EXPECTED)
            length, check = struct.unpack("<QI", head)
            if _masked(head[:8]) != check:
                raise DatasetError(file, f"{where}'s length is damaged", _EXPECTED)
            if length > file.stat().st_size:
                raise DatasetError(file, f"{where} is cut off", _EXPECTED)
            data, tail = source.read(length), source.read(4)
            if len(data) < length or len(tail) < 4:
                raise DatasetError(file, f"{where} is cut off", _EXPECTED)
            if _masked(data) != struct.unpack("<I", tail)[0]:
                raise DatasetError(file, f"{where} is damaged", _EXPECTED)
            try:
                yield _decoded(data)
            except (IndexError, ValueError, struct.error, UnicodeDecodeError) as error:
                raise DatasetError(file, f"{where} is no Example ({error})", _EXPECTED) from error
            number += 1


def _varint(number: int) -> bytes:
    number &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(data)) + data


def _encoded(record: Record) -> bytes:
    entries = b""
    for name in sorted(record):
        entries += _field(1, _field(1, name.encode()) + _field(2, _feature(record[name])))
    return _field(1, entries)


def _feature(values: Value) -> bytes:
    if all(isinstance(value, bytes) for value in values):
        return _field(_BYTES, b"".join(_field(1, bytes(value)) for value in values))  # type: ignore[arg-type]
    if all(isinstance(value, int) for value in values):
        return _field(_INTS, _field(1, b"".join(_varint(int(value)) for value in values)))
    packed = np.array(values, "<f4").tobytes()
    return _field(_FLOATS, _field(1, packed))


def _fields(data: bytes) -> Iterator[tuple[int, int, bytes | int]]:
    """(field, wire type, value) of one message."""
    place = 0
    while place < len(data):
        key, place = _number(data, place)
        wire = key & 7
        if wire == _VARINT:
            value, place = _number(data, place)
            yield key >> 3, wire, value
            continue
        size = 4
        if wire == _LENGTH_DELIMITED:
            size, place = _number(data, place)
        elif wire != _FIXED32:
            raise ValueError(f"wire type {wire}")
        if place + size > len(data):
            raise ValueError("a field longer than its message")
        yield key >> 3, wire, data[place : place + size]
        place += size


def _number(data: bytes, place: int) -> tuple[int, int]:
    number, shift = 0, 0
    while True:
        byte = data[place]
        number |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & 0x80:
            return number, place


def _decoded(data: bytes) -> dict[str, Value]:
    record: dict[str, Value] = {}
    for _, _, features in _fields(data):
        for _, _, entry in _fields(_message(features)):
            parts = {field: _message(part) for field, _, part in _fields(_message(entry))}
            record[parts[1].decode()] = _values(parts.get(2, b""))
    return record


def _message(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where a message should be")
    return value


def _values(feature: bytes) -> Value:
    for kind, _, body in _fields(feature):
        parts = [(wire, part) for _, wire, part in _fields(_message(body))]
        if kind == _BYTES:
            return [_message(part) for _, part in parts]
        if kind == _INTS:
            return [number for wire, part in parts for number in _ints(wire, part)]
        return [float(x) for _, part in parts for x in np.frombuffer(_message(part), "<f4")]
    return []


def _ints(wire: int, part: bytes | int) -> list[int]:
    if wire == _VARINT and isinstance(part, int):
        return [_signed(part)]
    numbers, place, packed = [], 0, _message(part)
    while place < len(packed):
        number, place = _number(packed, place)
        numbers.append(_signed(number))
    return numbers


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number
