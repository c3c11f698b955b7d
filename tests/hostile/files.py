"""Hostile files: whole objects with the expected verdict of the file and of each line.

The cases are about compression, marks, encodings, line ends, places in a file, sizes and names.

A file is decided as a whole or not at all. A file that cannot be read to its end, or that holds
events in no format, is quarantined, and none of its lines counts (design §2). Any other file has
one verdict per event or line. Gzip is cut and altered byte by byte, by the layout of RFC 1952.
"""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import random
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import zstandard

from tests.hostile.cases import good_line

MEBIBYTE = 1024 * 1024

Builder = Callable[[str], bytes]
"""Makes the bytes of a file from its name, which becomes a part of its keys."""


@dataclass(frozen=True)
class HostileFile:
    """One object and its expected verdicts.

    Attributes:
        name: its path below the folder of its source.
        build: makes its bytes.
        doors: the verdict or reason code of each line. None: the file is quarantined.
        sentence: a part of the reason for which it is quarantined.
        reason_code: the reason code, if it is quarantined.
    """

    name: str
    build: Builder
    doors: tuple[str, ...] | None = None
    sentence: str = ""
    reason_code: str = "unreadable_file"

    @property
    def content(self) -> bytes:
        """The bytes of the object as they land."""
        return self.build(self.name)


def usage(name: str, count: int = 3) -> bytes:
    """`count` good lines, each with its own key."""
    return b"".join(good_line("metronome", f"{name} {n}") + b"\n" for n in range(count))


def _pretty(name: str) -> bytes:
    """A good event over 9 lines, with a key of its own."""
    event = json.loads(good_line("metronome", f"{name} pretty"))
    return json.dumps(event, indent=2).encode() + b"\n"


def _wrapper_cut_short(member: bytes, name: str) -> bytes:
    """A batch of more than 1 MiB that ends after one of its events."""
    return b'{"%s":[' % member + usage(name, 12_000).rstrip().replace(b"\n", b",")


def _gzip(raw: bytes) -> bytes:
    return gzip.compress(raw, mtime=0)


def _zstd(raw: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(raw)


def _gzip_with_name(raw: bytes, file_name: bytes) -> bytes:
    body = _gzip(raw)
    return body[:3] + b"\x08" + body[4:10] + file_name + b"\x00" + body[10:]


def _skippable(content: bytes) -> bytes:
    return b"\x50\x2a\x4d\x18" + len(content).to_bytes(4, "little") + content


_TO_SKIP = _skippable(b"pzstd\n")


def _zip(raw: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr(zipfile.ZipInfo("usage.json"), raw)
    return archive.getvalue()


_ACCEPTED = ("accepted",)
_MALFORMED = ("malformed",)
_BLANK = ("blank",)


def decided(name: str, build: Builder, *doors: tuple[str, ...]) -> HostileFile:
    """A file that is read, with one verdict per line."""
    return HostileFile(name, build, tuple(door for part in doors for door in part))


def quarantined(name: str, sentence: str, build: Builder) -> HostileFile:
    """A file that cannot be read to its end."""
    return HostileFile(name, build, None, sentence)


def stranger(name: str, sentence: str, build: Builder) -> HostileFile:
    """A file that holds events in no format."""
    return HostileFile(name, build, None, sentence, "not_declared_format")


def _cut_everywhere(
    folder: str, compress: Callable[[bytes], bytes], suffix: str, whole_at: int = 0
) -> Iterator[HostileFile]:
    def name_of(cut: int) -> str:
        return f"{folder}/{cut:05d}{suffix}"

    def cut_at(cut: int) -> Builder:
        return lambda name: compress(usage(name))[:cut]

    # All names have the same length, so all whole files have nearly the same size.
    shortest = min(len(compress(usage(name_of(cut)))) for cut in range(1, 400))
    for cut in range(1, shortest):
        if cut != whole_at:
            yield quarantined(name_of(cut), "truncated", cut_at(cut))


def _cut_members() -> Iterator[HostileFile]:
    def cut_beyond_the_first(size: int) -> Builder:
        def build(name: str) -> bytes:
            first = _gzip(usage(f"{name} first", 1))
            return (first + _gzip(usage(f"{name} second", 1)))[: len(first) + size]

        return build

    # A file that is cut exactly between two members is a whole file of one member.
    yield decided("cut-members/00.ndjson.gz", cut_beyond_the_first(0), _ACCEPTED)
    for size in range(1, 60):
        name = f"cut-members/{size:02d}.ndjson.gz"
        yield quarantined(name, "truncated", cut_beyond_the_first(size))


_HEADER_WITHOUT_MEANING = {4, 5, 6, 7, 8, 9}
"""Places of header bytes in RFC 1952 that do not change the content: MTIME, XFL, OS."""


def _altered_gzip() -> Iterator[HostileFile]:
    def name_of(place: int, harm: int) -> str:
        return f"altered/{place:05d}-{harm:02x}.ndjson.gz"

    def altered(name: str, place: int, harm: int) -> bytes:
        whole = bytearray(_gzip(usage(name, 2)))
        whole[place] ^= harm
        return bytes(whole)

    for harm in (0x01, 0xFF):
        size = min(len(_gzip(usage(name_of(place, harm), 2))) for place in range(400))
        for place in [*range(size - 12), *range(-8, 0)]:
            name = name_of(place % 10_000, harm)

            def build(name: str, place: int = place, harm: int = harm) -> bytes:
                return altered(name, place, harm)

            if place in (0, 1):
                yield stranger(name, "holds no JSON object", build)
            elif place in _HEADER_WITHOUT_MEANING or (place, harm) == (3, 0x01):
                yield decided(name, build, _ACCEPTED * 2)
            else:
                sentence = "gzip: incorrect checksum" if place < 0 else "gzip"
                yield quarantined(name, sentence, build)


def _noise(size: int) -> bytes:
    """Random letters, which hardly compress."""
    return random.Random(size).randbytes(size // 2).hex().encode()  # noqa: S311


_COMPRESSION = [
    decided("plain.json", usage, _ACCEPTED * 3),
    decided("gzip-named-plain.json", lambda name: _gzip(usage(name)), _ACCEPTED * 3),
    decided("plain-named-gzip.json.gz", usage, _ACCEPTED * 3),
    decided("plain-named-zstd.json.zst", usage, _ACCEPTED * 3),
    decided("zstd-named-gzip.json.gz", lambda name: _zstd(usage(name)), _ACCEPTED * 3),
    decided("gzip-named-zstd.json.zst", lambda name: _gzip(usage(name)), _ACCEPTED * 3),
    decided("gzip-of-nothing.json.gz", lambda _: _gzip(b"")),
    decided("gzip-of-a-line-end.json.gz", lambda _: _gzip(b"\n"), ("blank",)),
    decided("zstd-of-nothing.json.zst", lambda _: _zstd(b"")),
    decided(
        "gzip-of-three-members.json.gz",
        lambda name: b"".join(_gzip(usage(f"{name} {n}", 1)) for n in range(3)),
        _ACCEPTED * 3,
    ),
    decided(
        "gzip-of-empty-members.json.gz",
        lambda name: _gzip(b"") + _gzip(usage(name)) + _gzip(b"") * 2,
        _ACCEPTED * 3,
    ),
    decided(
        "gzip-members-cut-inside-a-line.json.gz",
        lambda name: _gzip(usage(name)[:100]) + _gzip(usage(name)[100:]),
        _ACCEPTED * 3,
    ),
    decided(
        "gzip-of-a-thousand-members.json.gz",
        lambda name: b"".join(_gzip(bytes([byte])) for byte in usage(name)),
        _ACCEPTED * 3,
    ),
    decided(
        "gzip-with-a-name.json.gz",
        lambda name: _gzip_with_name(usage(name), b"../../etc/passwd\n{{ 1 }}"),
        _ACCEPTED * 3,
    ),
    stranger("gzip-twice.json.gz", "compressed twice", lambda name: _gzip(_gzip(usage(name)))),
    stranger("zstd-in-gzip.json.gz", "compressed twice", lambda name: _gzip(_zstd(usage(name)))),
    decided(
        "zstd-of-three-frames.json.zst",
        lambda name: b"".join(_zstd(usage(f"{name} {n}", 1)) for n in range(3)),
        _ACCEPTED * 3,
    ),
    decided(
        "zstd-after-a-frame-to-skip.json.zst",
        lambda name: _TO_SKIP + _zstd(usage(name)),
        _ACCEPTED * 3,
    ),
    decided(
        "zstd-among-frames-to-skip.json.zst",
        lambda name: _TO_SKIP * 2 + _zstd(usage(name)) + _TO_SKIP + _zstd(b"\n") + _TO_SKIP,
        _ACCEPTED * 3,
        ("blank",),
    ),
    decided("zstd-of-a-frame-to-skip.json.zst", lambda _: _TO_SKIP),
    quarantined(
        "gzip-and-a-letter.json.gz", "corrupt gzip", lambda name: _gzip(usage(name)) + b"x" * 20
    ),
    quarantined("gzip-and-a-line.json.gz", "gzip", lambda name: _gzip(usage(name)) + usage(name)),
    quarantined("gzip-and-zeros.json.gz", "gzip", lambda name: _gzip(usage(name)) + b"\0" * 512),
    quarantined("gzip-and-a-mark.json.gz", "truncated", lambda name: _gzip(usage(name)) + b"\x1f"),
    quarantined(
        "gzip-and-zstd.json.gz", "corrupt gzip", lambda name: _gzip(usage(name)) + _zstd(b"{}")
    ),
    quarantined("zstd-and-a-letter.json.zst", "zstd", lambda name: _zstd(usage(name)) + b"x" * 9),
    quarantined("gzip-mark-alone.json.gz", "truncated", lambda _: b"\x1f\x8b"),
    quarantined("gzip-header-alone.json.gz", "truncated", lambda _: _gzip(b"")[:10]),
    quarantined("gzip-header-and-zeros.json.gz", "gzip", lambda _: _gzip(b"")[:10] + b"\0" * 90),
    quarantined(
        "gzip-with-a-name-without-end.json.gz",
        "truncated",
        lambda _: b"\x1f\x8b\x08\x08" + b"\0" * 6 + b"n" * 9_000,
    ),
    quarantined("zstd-mark-alone.json.zst", "zstd", lambda _: b"\x28\xb5\x2f\xfd"),
    quarantined(
        "zstd-with-a-wrong-checksum.json.zst",
        "corrupt zstd",
        lambda name: _zstd(usage(name))[:-1] + b"\x00",
    ),
    quarantined("bomb.json.gz", "more than 200 times", lambda _: _gzip(b"\n" * 2**24)),
    quarantined("bomb-of-zeros.json.gz", "more than 200 times", lambda _: _gzip(b"\0" * 2**24)),
    quarantined("bomb-in-gzip-named.json", "more than 200 times", lambda _: _gzip(b"x" * 2**24)),
    quarantined("bomb.json.zst", "more than 200 times", lambda _: _zstd(b"\n" * 2**26)),
    quarantined(
        "bomb-of-many-members.json.gz", "more than 200 times", lambda _: _gzip(b"\n" * 2**20) * 20
    ),
    quarantined(
        "bomb-after-a-good-line.json.gz",
        "more than 200 times",
        lambda name: _gzip(usage(name)) + _gzip(b"\n" * 2**24),
    ),
    stranger("bzip2-named-gzip.json.gz", "bzip2", lambda name: bz2.compress(usage(name))),
    stranger("xz-named-gzip.json.gz", "by xz", lambda name: lzma.compress(usage(name))),
    stranger("zip-named-gzip.json.gz", "a zip archive", lambda name: _zip(b"x")),
    stranger("zip-of-events.json", "a zip archive", lambda name: _zip(usage(name))),
    stranger("zip-in-gzip.json.gz", "a zip archive", lambda name: _gzip(_zip(usage(name)))),
    stranger("zlib-named-gzip.json.gz", "no JSON", lambda name: zlib.compress(usage(name))),
    stranger("avro.json", "an Avro file", lambda _: b"Obj\x01\x04\x16avro.codec\x08null\n{\n"),
    stranger(
        "error-page.json",
        "an HTML or XML page",
        lambda _: b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n",
    ),
    stranger("error-of-a-store.json", "XML", lambda _: b"<?xml?><Error>NoSuchKey</Error>"),
    stranger("one-word.json", "begins with 'Unauthorized'", lambda _: b"Unauthorized"),
    stranger("log.json", "no JSON", lambda _: b"2026-01-10 GET /\n" * 500),
    stranger(
        "comma-separated.json", "`format` = csv", lambda _: b"transaction_id,customer_id\n1,2\n"
    ),
    stranger("notes.md", "no JSON", lambda _: b"# Notes\n\nNothing here.\n"),
    stranger("named-parquet.parquet", "PAR1", usage),
    quarantined("parquet-named-json.json", "corrupt Parquet", lambda _: b"PAR1\x15\x00\n\x00PAR1"),
]

_BAD = b'{"transaction_id":\n'
_MARK = b"\xef\xbb\xbf"


def _bad_line_at(number: int) -> Builder:
    return lambda name: (
        usage(f"{name} before", number - 1) + _BAD + usage(f"{name} after", 201 - number)
    )


_TEXTS = [
    decided("empty.json", lambda _: b""),
    decided("empty-named-gzip.json.gz", lambda _: b""),
    decided("one-line-end.json", lambda _: b"\n", ("blank",)),
    decided("blank-lines.json", lambda _: b"\n \n\t\n\r\n \t \r\n", ("blank",) * 5),
    decided("blank-without-line-end.json", lambda _: b"  ", ("blank",)),
    decided("no-last-line-end.json", lambda name: usage(name)[:-1], _ACCEPTED * 3),
    decided("last-line-cut-short.json", lambda name: usage(name)[:-9], _ACCEPTED * 2, _MALFORMED),
    decided(
        "blank-lines-between.json",
        lambda name: usage(name).replace(b"\n", b"\n\n \r\n"),
        ("accepted", "blank", "blank") * 3,
    ),
    decided(
        "carriage-returns-and-line-feeds.json",
        lambda name: usage(name).replace(b"\n", b"\r\n"),
        _ACCEPTED * 3,
    ),
    decided(
        "carriage-returns-alone.json",
        lambda name: usage(name).replace(b"\n", b"\r"),
        _ACCEPTED * 3,
    ),
    decided(
        "carriage-returns-without-a-line-feed.json",
        lambda name: usage(name, 1).replace(b"\n", b"\r\r"),
        _ACCEPTED,
    ),
    decided(
        "line-feeds-before-carriage-returns.json",
        lambda name: usage(name).replace(b"\n", b"\n\r"),
        _ACCEPTED * 3,
        ("blank",),
    ),
    decided(
        "line-separators.json",
        lambda name: usage(name).replace(b"\n", "\u2028".encode()),
        ("accepted", "malformed") * 3,
    ),
    decided(
        "form-feeds.json",
        lambda name: usage(name).replace(b"\n", b"\n\x0c\n"),
        ("accepted", "malformed") * 3,
    ),
    decided("mark.json", lambda name: _MARK + usage(name), _ACCEPTED * 3),
    decided("mark.json.gz", lambda name: _gzip(_MARK + usage(name)), _ACCEPTED * 3),
    decided("mark-before-gzip.json.gz", lambda name: _MARK + usage(name), _ACCEPTED * 3),
    decided("mark-alone.json", lambda _: _MARK, ("blank",)),
    decided(
        "mark-on-its-own-line.json",
        lambda name: _MARK + b"\r\n" + usage(name),
        ("blank",),
        _ACCEPTED * 3,
    ),
    decided("mark-twice.json", lambda name: _MARK * 2 + usage(name), _MALFORMED, _ACCEPTED * 2),
    decided(
        "mark-in-the-middle.json",
        lambda name: usage(name, 1) + _MARK + usage(f"{name} 2", 2),
        ("accepted", "malformed", "accepted"),
    ),
    decided(
        "mark-in-each-member.json.gz",
        lambda name: _gzip(_MARK + usage(name, 1)) + _gzip(_MARK + usage(f"{name} 2", 2)),
        ("accepted", "malformed", "accepted"),
    ),
    decided("mark-cut-short.json", lambda name: _MARK[:2] + usage(name), _MALFORMED, _ACCEPTED * 2),
    quarantined(
        "mark-of-utf-16-before-utf-8.json", "UTF-16", lambda name: b"\xff\xfe" + usage(name)
    ),
    quarantined(
        "utf-16-little-endian.json",
        "UTF-16",
        lambda name: b"\xff\xfe" + usage(name).decode().encode("utf-16-le"),
    ),
    quarantined(
        "utf-16-big-endian.json",
        "UTF-16",
        lambda name: b"\xfe\xff" + usage(name).decode().encode("utf-16-be"),
    ),
    quarantined(
        "utf-16-in-gzip.json.gz",
        "UTF-16",
        lambda name: _gzip(b"\xff\xfe" + usage(name).decode().encode("utf-16-le")),
    ),
    quarantined("batch-never-closed.json", "truncated", lambda name: b"[" + usage(name, 1)),
    quarantined(
        "batch-after-a-mark-and-a-blank.json",
        "truncated",
        lambda name: _MARK + b"\r\n [" + usage(name, 1),
    ),
    quarantined(
        "batch-of-events-closed-too-soon.json",
        "expected } of a batch of events",
        lambda name: b'{"events": [' + usage(name, 1) + b"],}",
    ),
    decided(
        "batch-after-a-line.json",
        lambda name: usage(name, 1) + b"[" + usage(f"{name} 2", 1)[:-1] + b"]\n",
        _ACCEPTED * 2,
    ),
    # A line feed in UTF-16 has a zero byte beside it, in this line or in the next one.
    stranger(
        "utf-16-without-mark.json",
        "begins with '\\x00{",
        lambda name: usage(name).decode().encode("utf-16-be"),
    ),
    stranger("utf-32.json", "no JSON", lambda name: usage(name).decode().encode("utf-32-be")),
    decided(
        "nuls-at-the-end.json", lambda name: usage(name) + b"\0" * 4_096, _ACCEPTED * 3, _MALFORMED
    ),
    decided(
        "nuls-at-the-beginning.json",
        lambda name: b"\0" * 4_096 + b"\n" + usage(name),
        _MALFORMED,
        _ACCEPTED * 3,
    ),
    decided("pretty-printed.json", lambda name: usage(name, 1).replace(b",", b",\n"), _ACCEPTED),
    decided(
        "pretty-printed-three.json",
        lambda name: usage(name).replace(b",", b",\r\n\t"),
        _ACCEPTED * 3,
    ),
    decided(
        "pretty-printed-with-a-bad-one.json",
        lambda name: (
            usage(name)
            .replace(b",", b",\n")
            .replace(b'"acme"', b"acme", 2)
            .replace(b":acme", b':"acme"', 1)
        ),
        ("accepted", "malformed", "accepted"),
    ),
    quarantined(
        "pretty-printed-cut-short.json",
        "truncated",
        lambda name: usage(name, 2).replace(b",", b",\n")[:-9],
    ),
    decided(
        "pretty-printed-after-a-line.json",
        lambda name: usage(name, 1) + _pretty(name) + usage(f"{name} 3", 1),
        _ACCEPTED * 2,
        _BLANK * 8,
        _ACCEPTED,
    ),
    decided(
        "pretty-printed-at-the-end.json.gz",
        lambda name: _gzip(usage(name, 2) + _pretty(name).replace(b"\n", b"\r\n").rstrip()),
        _ACCEPTED * 3,
        _BLANK * 8,
    ),
    decided(
        "pretty-printed-after-a-line-and-cut-off.json",
        lambda name: usage(name, 1) + _pretty(name)[:80] + b"\n" + usage(f"{name} 3", 1),
        _ACCEPTED,
        _MALFORMED,
        _BLANK * 2,
        _ACCEPTED,
    ),
    decided(
        "pretty-printed-after-one-that-is-cut-off.json",
        lambda name: usage(name, 1) + _pretty("cut")[:80] + b"\n" + _pretty(name),
        _ACCEPTED,
        _MALFORMED,
        _BLANK * 3,
        _ACCEPTED,
        _BLANK * 8,
    ),
    decided(
        "pretty-printed-and-wrong-after-a-line.json",
        lambda name: usage(name, 1) + _pretty(name).replace(b",", b",,") + usage(f"{name} 3", 1),
        _ACCEPTED,
        _MALFORMED,
        _BLANK * 8,
        _ACCEPTED,
    ),
    decided(
        "pretty-printed-batch-after-a-line.json",
        lambda name: (
            usage(name, 1)
            + b'{\n"events": [\n'
            + _pretty(f"{name} 2").rstrip()
            + b",\n"
            + _pretty(f"{name} 3")
            + b"]\n}\n"
            + usage(f"{name} 4", 1)
        ),
        _ACCEPTED * 3,
        _BLANK * 20,
        _ACCEPTED,
    ),
    quarantined(
        "wrapped-events-and-cut-short.json",
        "truncated: the file ends inside the object that begins at byte 0",
        lambda name: b'{"events":[' + usage(name).rstrip().replace(b"\n", b","),
    ),
    quarantined(
        "wrapped-data-and-cut-short.json",
        "truncated: the file ends inside the object that begins at byte 0",
        lambda name: b'{"data":[' + usage(name).rstrip().replace(b"\n", b","),
    ),
    quarantined(
        "wrapped-events-and-cut-short-after-a-comma.json",
        "truncated: the file ends",
        lambda name: b'{"events":[' + usage(name).replace(b"\n", b","),
    ),
    quarantined(
        "wrapped-events-and-cut-short-beyond-a-mebibyte.json",
        "truncated: the file ends inside element 12000",
        lambda name: _wrapper_cut_short(b"events", name),
    ),
    quarantined(
        "wrapped-data-and-cut-short-beyond-a-mebibyte.json",
        "truncated: the file ends inside element 12000",
        lambda name: _wrapper_cut_short(b"data", name),
    ),
    decided(
        "line-of-a-wrapper-cut-short.json",
        lambda name: usage(name, 1) + b'{"events":[' + usage(f"{name} 2", 1).rstrip() + b",\n",
        _ACCEPTED,
        _MALFORMED,
    ),
    decided(
        "no-line-feed-between.json",
        lambda name: usage(name, 2).replace(b"\n", b""),
        _ACCEPTED * 2,
    ),
    decided(
        "no-line-feed-between-and-a-bad-one.json",
        lambda name: usage(name, 1)[:-1] + b'{"transaction_id":' + usage(f"{name} 2", 2)[:-1],
        ("accepted", "malformed", "accepted", "accepted"),
    ),
    decided(
        "events-and-batches.json",
        lambda name: (
            usage(name, 1)
            + b'{"events":['
            + usage(f"{name} 2", 1).rstrip()
            + b"]}\n["
            + usage(f"{name} 3", 1).rstrip()
            + b"]\n"
            + usage(f"{name} 4", 1)
        ),
        _ACCEPTED * 4,
    ),
    decided(
        "batches-and-events.json",
        lambda name: (
            b"["
            + usage(name, 1)
            + b"]\n"
            + usage(f"{name} 2", 1)
            + b'{"data":[\n'
            + usage(f"{name} 3", 1)
            + b"]}"
        ),
        _ACCEPTED * 3,
    ),
    decided(
        "wrapped.json",
        lambda name: b'{"count":1,"data":[' + usage(name, 1) + b'],"next":null}',
        _ACCEPTED,
    ),
    decided(
        "wrapped-with-a-bad-one.json",
        lambda name: b'{"data":[' + usage(name, 1) + b',{"a":},' + usage(f"{name} 2", 1) + b"]}",
        ("accepted", "malformed", "accepted"),
    ),
    quarantined(
        "wrapped-and-cut-short.json",
        "truncated",
        lambda name: b'{"count":9,"data":[' + usage(name, 1) + b',{"transaction_id":',
    ),
    stranger(
        "two-arrays-of-objects.json",
        "'added' and 'removed'",
        lambda name: b'{"added":[' + usage(name, 1) + b'],"removed":[{}]}',
    ),
    decided("only-bad-lines.json", lambda _: _BAD * 100, _MALFORMED * 100),
    *(
        decided(
            f"bad-line-{number}-of-201.json",
            _bad_line_at(number),
            _ACCEPTED * (number - 1),
            _MALFORMED,
            _ACCEPTED * (201 - number),
        )
        for number in (1, 2, 100, 101, 200, 201)
    ),
    decided(
        "every-other-line-bad.json",
        lambda name: usage(name, 50).replace(b"\n", b"\n" + _BAD),
        ("accepted", "malformed") * 50,
    ),
    decided(
        "same-line-three-times.json",
        lambda name: good_line("metronome", name).join([b"", b"\n", b"\n", b"\n"]),
        ("accepted", "duplicate", "duplicate"),
    ),
    decided(
        "same-key-other-payload.json",
        lambda name: b"".join(
            good_line("metronome", name).replace(b"512", value) + b"\n"
            for value in (b"512", b"513", b"512", b"513")
        ),
        ("accepted", "conflict", "duplicate", "conflict"),
    ),
]


def _around(name: str, long: bytes) -> bytes:
    return usage(f"{name} before", 1) + long + b"\n" + usage(f"{name} after", 1)


_TWENTY_MEGABYTES = 20_000_000
_AROUND_A_LONG_LINE = ("accepted", "too_large", "accepted")

_LARGE = [
    decided(
        "20-mb-line.json",
        lambda name: _around(
            name, good_line("metronome", name)[:-1] + b" " * _TWENTY_MEGABYTES + b"}"
        ),
        _AROUND_A_LONG_LINE,
    ),
    decided(
        "20-mb-line.json.gz",
        lambda name: gzip.compress(_around(name, _noise(_TWENTY_MEGABYTES)), 1),
        _AROUND_A_LONG_LINE,
    ),
    decided(
        "20-mb-line.json.zst",
        lambda name: _zstd(_around(name, _noise(_TWENTY_MEGABYTES))),
        _AROUND_A_LONG_LINE,
    ),
    decided(
        "20-mb-of-invalid-utf-8.json",
        lambda name: _around(name, b"\xff" * _TWENTY_MEGABYTES),
        _AROUND_A_LONG_LINE,
    ),
    decided(
        "20-mb-without-line-end.json",
        lambda name: usage(name, 1) + b"[" * _TWENTY_MEGABYTES,
        ("accepted", "too_large"),
    ),
    decided(
        "20-mb-after-a-mark.json",
        lambda name: (
            _MARK + _around(name, b"x" * _TWENTY_MEGABYTES)[len(usage(f"{name} before", 1)) :]
        ),
        ("too_large", "accepted"),
    ),
    decided(
        "a-mebibyte-after-a-mark.json",
        lambda name: _MARK + b" " * MEBIBYTE + b"\r\n" + usage(name),
        ("blank",),
        _ACCEPTED * 3,
    ),
    decided(
        "a-mebibyte-and-a-byte-after-a-mark.json",
        lambda name: _MARK + b" " * (MEBIBYTE + 1) + b"\r\n" + usage(name),
        ("too_large",),
        _ACCEPTED * 3,
    ),
    decided(
        "20-lines-of-a-mebibyte-and-a-byte.json",
        lambda name: (b"x" * (MEBIBYTE + 1) + b"\n") * 20 + usage(name),
        ("too_large",) * 20,
        _ACCEPTED * 3,
    ),
    decided(
        "100000-blank-lines.json",
        lambda name: b"\n" * 100_000 + usage(name),
        ("blank",) * 100_000,
        _ACCEPTED * 3,
    ),
]

READ_NAMES = (
    "with space.json",
    " space before.json",
    "tab\there.json",
    "bell\x07.json",
    "a\u00a0b.json",
    "line\nend.json",
    "\n.json",
    "carriage\rreturn.json",
    "del\x7f.json",
    "-rf.json",
    "~.json",
    "percent%2e%2e%2f.json",
    "100%.json",
    "%s%d%n.json",
    "plus+plus.json",
    "a=1&b=2.json",
    "question?versionId=1.json",
    "hash#tag.json",
    "semi;colon.json",
    "colon:.json",
    "a@b.json",
    "quote'.json",
    'double".json',
    "back`tick.json",
    "back\\slash.json",
    "a\\..\\x.json",
    "star*.json",
    "q?.json",
    "[a-z].json",
    "{a,b}.json",
    "**.json",
    "dollar$HOME.json",
    "a!b.json",
    "'; DROP TABLE lake.landing_files; --.json",
    "{{ env_var('X') }}.json",
    "<b>&amp;.json",
    "=cmd|' C calc'!A0.json",
    "[bold]x[/bold].json",
    "straße.json",
    "東京.json",
    "😀.json",
    "caf\u00e9.json",
    "cafe\u0301.json",
    "\u202egnp.json",
    "zero\u200bwidth.json",
    "\ufeffmark.json",
    "a..json",
    "a.json.json",
    "a.tmp.json",
    "a.part.json",
    "a_b.json",
    "CON.json",
    "nul.json",
    "n" * 250 + ".json",
    "é" * 125 + ".json",
    "deep/" * 50 + "a.json",
    "year=2026/a.json",
    "double.ndjson.gz",
    "a.jsonl.zst",
    "a...json",
    "x.json.gz",
    "a.JSON",
    "a.json ",
    "a.json\n",
    "a.json~",
    "a.txt",
    "json",
    "a.json.bz2",
    "a.json.gz.gz",
    "a.json.xz",
    "a.zip",
    "a.jsonx",
    "a.json.crc",
    "a.json%00",
    "a.ndjson.GZ",
    "a.jsοn",
    "usage-1-2026-01-10-10-00-00-5e7f",
    "usage.log.gz",
    "segment-logs/a1B2/1768003200000/1768003214_0001.abc.gz",
)
"""Paths below a source's folder that are read, although they look odd."""

S3_NAMES = ("//twice.json", "a//b.json", "n" * 900 + ".json", "e\u0301/\u00e9.json", "a/ /b.json")
"""Paths that are read, and that only a bucket can hold."""

IGNORED_NAMES = {
    **dict.fromkeys(
        ("_work/a.json", ".hidden.json", "_SUCCESS.json", "a.json.tmp", "a.json.gz.part"),
        "unfinished upload",
    ),
    **dict.fromkeys(
        (
            "a/_temporary/0/b.json",
            "..\\x.json",
            ".a/b.json",
            "a/.b.json.swp",
            "...json",
            "__MACOSX/._a.json",
        ),
        "unfinished upload",
    ),
}
"""The reason by path for objects below a source's folder that are counted, and not read."""

S3_IGNORED_NAMES = {
    "../escape.json": "unfinished upload",
    "a/../../escape.json": "unfinished upload",
    "./here.json": "unfinished upload",
}
"""The reason by path for objects that are not read, and that only a bucket can hold."""


def one_line(name: str) -> bytes:
    """A good line for an object of any name."""
    # A name may have any length, but a key may not.
    return usage(hashlib.sha256(name.encode()).hexdigest(), 1)


FILES = (
    *_COMPRESSION,
    *_cut_everywhere("cut-gzip", _gzip, ".ndjson.gz"),
    *_cut_everywhere("cut-zstd", _zstd, ".ndjson.zst"),
    *_cut_everywhere(
        "cut-skippable-zstd", lambda raw: _TO_SKIP + _zstd(raw), ".ndjson.zst", len(_TO_SKIP)
    ),
    *_cut_members(),
    *_altered_gzip(),
    *_TEXTS,
    *_LARGE,
    *(decided(f"names/{name}", one_line, _ACCEPTED) for name in READ_NAMES),
)
"""All files of the corpus whose names are read."""
