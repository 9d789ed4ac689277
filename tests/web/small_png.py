"""A screenshot with 256 colours instead of millions: a third of the bytes, and nobody sees the difference."""

import collections
import struct
import zlib

COLOURS = 256


def small(png):
    """The same picture, indexed. `png` has 8 bits a channel, 3 or 4 of them, and is not interlaced."""
    chunks = list(_chunks(png))
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    assert depth == 8 and kind in (2, 6) and not interlaced
    size = {2: 3, 6: 4}[kind]
    rows = list(_rows(zlib.decompress(b"".join(data for name, data in chunks if name == b"IDAT")), width * size, size))
    pixels = [[row[x:x + 3] for x in range(0, width * size, size)] for row in rows]
    count = collections.Counter(pixel for row in pixels for pixel in row)
    palette = _palette(count)
    place = {colour: min(range(len(palette)), key=lambda i: _far(colour, palette[i])) for colour in count}
    lines = b"".join(b"\0" + bytes(map(place.__getitem__, row)) for row in pixels)
    return (png[:8] + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)) + _chunk(b"PLTE", b"".join(palette)) +
            _chunk(b"IDAT", zlib.compress(lines, 9)) + _chunk(b"IEND", b""))


def _far(one, other):
    return sum((a - b) ** 2 for a, b in zip(one, other))


def _palette(count):
    """The commonest, and then those that the others would replace worst: a small green light is not to turn grey."""
    palette = [colour for colour, _ in count.most_common(COLOURS // 2)]
    worst = {colour: min(_far(colour, chosen) for chosen in palette) for colour in count}
    while len(palette) < min(COLOURS, len(count)):
        palette.append(max(count, key=lambda colour: worst[colour] * count[colour]))
        for colour in count:
            worst[colour] = min(worst[colour], _far(colour, palette[-1]))
    return palette


def _chunks(png):
    at = 8
    while at < len(png):
        length, = struct.unpack(">I", png[at:at + 4])
        yield png[at + 4:at + 8], png[at + 8:at + 8 + length]
        at += 12 + length


def _chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _rows(raw, stride, size):
    """Undoes the filters of PNG (RFC 2083, section 6)."""
    above = bytearray(stride)
    for at in range(0, len(raw), stride + 1):
        kind, line = raw[at], bytearray(raw[at + 1:at + 1 + stride])
        for x in range(stride) if kind else ():
            left, up, corner = (line[x - size] if x >= size else 0), above[x], (above[x - size] if x >= size else 0)
            line[x] = (line[x] + _predicted(kind, left, up, corner)) & 255
        yield bytes(line)
        above = line


def _predicted(kind, left, up, corner):
    if kind == 1:
        return left
    if kind == 2:
        return up
    if kind == 3:
        return (left + up) >> 1
    a, b, c = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    return left if a <= b and a <= c else up if b <= c else corner
