"""Just enough of PNG to draw a logo and to measure one."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEADER: Final = struct.Struct(">II5B")  # width, height, bit depth, colour type, and three methods
_PALETTE: Final = 3
_STORED_BLOCK: Final = 65_535  # bytes, at most, that deflate stores as they are


class PngError(ValueError):
    """These bytes are no PNG image; the text says why."""


def encode(rows: Sequence[bytes], palette: Sequence[tuple[int, int, int]]) -> bytes:
    """An image of at most 16 colours.

    Args:
        rows: one byte for each pixel, its index in the palette; all rows of the same, even length.
        palette: red, green and blue.

    Its bytes depend on nothing else: the pixels are stored, since what zlib compresses differs by its version.
    """
    packed = b"".join(
        b"\0" + bytes(left << 4 | right for left, right in zip(row[::2], row[1::2], strict=True))
        for row in rows
    )
    chunks = (
        (b"IHDR", _HEADER.pack(len(rows[0]), len(rows), 4, _PALETTE, 0, 0, 0)),
        (b"PLTE", bytes(value for colour in palette for value in colour)),
        (b"IDAT", b"\x78\x01" + b"".join(_stored(packed)) + struct.pack(">I", zlib.adler32(packed))),
        (b"IEND", b""),
    )
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def measure(image: bytes) -> tuple[int, int]:
    """Width and height in pixels.

    Raises:
        PngError: not a PNG image, or one that is cut off or damaged.
    """
    if not image.startswith(_SIGNATURE):
        raise PngError("not a PNG image")
    chunks = list(_chunks(image))
    kind, header = chunks[0] if chunks else (b"", b"")
    if kind != b"IHDR" or len(header) != _HEADER.size:
        raise PngError("a PNG image without a header")
    if chunks[-1][0] != b"IEND" or all(kind != b"IDAT" for kind, _ in chunks):
        raise PngError("a PNG image that is cut off")
    width, height, *_ = _HEADER.unpack(header)
    return width, height


def _chunks(image: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = len(_SIGNATURE)
    while position < len(image):
        end = position + 12 + int.from_bytes(image[position : position + 4])
        if end > len(image):
            raise PngError("a PNG image that is cut off")
        checked, checksum = image[position + 4 : end - 4], image[end - 4 : end]
        if zlib.crc32(checked) != int.from_bytes(checksum):
            raise PngError("a damaged PNG image")
        yield checked[:4], checked[4:]
        position = end


def _stored(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _STORED_BLOCK):
        block = content[start : start + _STORED_BLOCK]
        last = start + _STORED_BLOCK >= len(content)
        yield struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block
