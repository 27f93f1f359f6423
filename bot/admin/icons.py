"""The app's two icons, read as far as their rules need.

Source: Teams' icon requirements: color 192x192 pixels; outline 32x32, white on transparent.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGBA = 6  # PNG's color type
_BYTES = 4  # of one pixel


class Unusual(ValueError):
    """The image is damaged, or of a kind that this module doesn't read."""


@dataclass(frozen=True)
class Png:
    """A PNG's measures in pixels, and its pixels still packed."""

    width: int
    height: int
    depth: int
    color_type: int
    interlaced: bool
    packed: bytes

    @classmethod
    def read(cls, data: bytes) -> "Png":
        """Read the headers. Raises Unusual when it is not a PNG."""
        chunks = list(_chunks(data))
        if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
            raise Unusual
        width, height, depth, color_type, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
        packed = b"".join(content for kind, content in chunks if kind == b"IDAT")
        return cls(width, height, depth, color_type, bool(interlaced), packed)

    def pixels(self) -> list[tuple[int, int, int, int]]:
        """Red, green, blue and alpha (0 to 255) of each pixel, row by row.

        Raises Unusual for anything but eight bits a channel with alpha and without interlacing.
        """
        if (self.depth, self.color_type, self.interlaced) != (8, _RGBA, False):
            raise Unusual
        length = self.width * _BYTES
        try:
            raw = zlib.decompressobj().decompress(self.packed, (length + 1) * self.height)
        except zlib.error:
            raise Unusual from None
        if len(raw) != (length + 1) * self.height:
            raise Unusual
        rows = b"".join(_unfiltered(raw, length))
        return [
            (rows[at], rows[at + 1], rows[at + 2], rows[at + 3])
            for at in range(0, len(rows), _BYTES)
        ]


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not data.startswith(_SIGNATURE):
        raise Unusual
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _unfiltered(raw: bytes, length: int) -> Iterator[bytes]:
    # Source: the PNG specification, "Filtering": each row says how it differs from its neighbours.
    above = bytes(length)
    for start in range(0, len(raw), length + 1):
        kind, row = raw[start], bytearray(raw[start + 1 : start + 1 + length])
        for at, value in enumerate(row):
            left = row[at - _BYTES] if at >= _BYTES else 0
            corner = above[at - _BYTES] if at >= _BYTES else 0
            row[at] = (value + _predicted(kind, left, above[at], corner)) & 0xFF
        above = bytes(row)
        yield above


def _predicted(kind: int, left: int, above: int, corner: int) -> int:
    match kind:
        case 0:
            return 0
        case 1:
            return left
        case 2:
            return above
        case 3:
            return (left + above) // 2
        case 4:
            guess = left + above - corner
            return min((left, above, corner), key=lambda value: abs(guess - value))
    raise Unusual


def problems_of_color(data: bytes) -> list[str]:
    """What is wrong with the colored icon, as ends of sentences ("must be …")."""
    try:
        return _measures(Png.read(data), 192)
    except Unusual:
        return ["must be a PNG image."]


def problems_of_outline(data: bytes) -> list[str]:
    """What is wrong with the outline icon, as ends of sentences ("must be …")."""
    try:
        image = Png.read(data)
    except Unusual:
        return ["must be a PNG image."]
    if wrong := _measures(image, 32):
        return wrong
    try:
        pixels = image.pixels()
    except Unusual:
        return ["must be an 8-bit RGBA image without interlacing, so that it can be transparent."]
    drawn = [pixel for pixel in pixels if pixel[3]]
    if len(drawn) == len(pixels):
        return ["must have a transparent background."]
    if not drawn:
        return ["must show something; it is transparent all over."]
    if any(pixel[:3] != (255, 255, 255) for pixel in drawn):
        return ["must be drawn in white alone (#FFFFFF), on transparent."]
    return []


def _measures(image: Png, side: int) -> list[str]:
    if (image.width, image.height) == (side, side):
        return []
    return [f"must be {side}x{side} pixels; it is {image.width}x{image.height}."]
