"""Decompression of untrusted data with a limit on the result.

Any of Kafka's codecs compresses a megabyte of zeros to a few hundred bytes. The limit is enforced during decompression
and not afterwards.
"""

import struct
import zlib
from collections.abc import Callable, Mapping

import cramjam

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
_NAMES = {GZIP: "gzip", SNAPPY: "snappy", LZ4: "lz4", ZSTD: "zstd"}
# Kafka's clients write one member; each further one costs a copy of what is left.
_MOST_GZIP_MEMBERS = 16
_GZIP_WINDOW = 31
_XERIAL = struct.Struct(">8sii")
_XERIAL_MAGIC = b"\x82SNAPPY\x00"
_LEAST_ROOM = 65_536
_ROOM_RATIO = 8
_TOO_SMALL = "failed to write whole buffer"
"""The message of cramjam when the result does not fit; its other messages concern the data."""


class CannotDecompress(ValueError):
    """The codec is unknown, or the data is not what the codec writes."""


def decompress(codec: int, data: memoryview, most: int) -> tuple[bytes, bool]:
    """The decompressed data, and whether it was cut after `most` bytes.

    Of snappy, whose blocks are decompressed whole or not at all, less than `most` may be left of what was cut.
    Raises `CannotDecompress`.
    """
    if codec == NONE:
        return bytes(data[:most]), len(data) > most
    try:
        read = _CODECS[codec]
    except KeyError:
        raise CannotDecompress(f"compression codec {codec} is unknown") from None
    try:
        return read(data, most)
    except (zlib.error, cramjam.DecompressionError, ValueError, struct.error, OverflowError) as error:
        raise CannotDecompress(f"the {_NAMES[codec]} data is damaged: {error}") from error


def _gzip(data: memoryview, most: int) -> tuple[bytes, bool]:
    found, rest = bytearray(), bytes(data)
    for _ in range(_MOST_GZIP_MEMBERS):
        member = zlib.decompressobj(_GZIP_WINDOW)
        found += member.decompress(rest, most + 1 - len(found))
        if len(found) > most:
            return bytes(found[:most]), True
        if not member.eof:
            raise CannotDecompress("it ends too early")
        rest = member.unused_data
        if not rest:
            return bytes(found), False
    raise CannotDecompress(f"it has more than {_MOST_GZIP_MEMBERS} members")


def _snappy(data: memoryview, most: int) -> tuple[bytes, bool]:
    found = bytearray()
    for block in _snappy_blocks(data):
        if len(found) + cramjam.snappy.decompress_raw_len(block) > most:
            return bytes(found), True
        found += bytes(cramjam.snappy.decompress_raw(block))
    return bytes(found), False


def _snappy_blocks(data: memoryview) -> list[memoryview]:
    """Clients in Java frame the blocks as the xerial library does, others write a single block."""
    if bytes(data[:8]) != _XERIAL_MAGIC:
        return [data]
    blocks, place = [], _XERIAL.size
    while place < len(data):
        (size,) = struct.unpack_from(">i", data, place)
        place += 4
        if not 0 < size <= len(data) - place:
            raise CannotDecompress(f"it has a block of {size} bytes")
        blocks.append(data[place : place + size])
        place += size
    return blocks


def _within(decompress_into: Callable[[memoryview, bytearray], int]) -> Callable[[memoryview, int], tuple[bytes, bool]]:
    """For codecs that are given the room for the result: first as much as is usual, then as much as there may be."""

    def read(data: memoryview, most: int) -> tuple[bytes, bool]:
        for size in (min(max(_LEAST_ROOM, _ROOM_RATIO * len(data)), most), most):
            room = bytearray(size)
            try:
                count = decompress_into(data, room)
            except cramjam.DecompressionError as error:
                if str(error) != _TOO_SMALL:
                    raise
            else:
                return bytes(memoryview(room)[:count]), False
        return bytes(room), True

    return read


_CODECS: Mapping[int, Callable[[memoryview, int], tuple[bytes, bool]]] = {
    GZIP: _gzip,
    SNAPPY: _snappy,
    LZ4: _within(cramjam.lz4.decompress_into),
    ZSTD: _within(cramjam.zstd.decompress_into),
}
