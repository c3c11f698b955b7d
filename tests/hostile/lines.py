"""Hostile lines of any sender: JSON, texts, numbers, names and properties.

Most are in Metronome's dialect. Some look wrong and are right.

Source of each verdict: design §3 (strict JSON, exact numbers, keys byte for byte, the closed
list of reasons) and the entries of DECISIONS.md on parsing.
"""

import json

from pipelines.vocabulary.verdicts import Reason
from tests.hostile.cases import (
    HostileLine,
    accepted,
    blank,
    malformed,
    metronome,
    rejected,
    several,
    with_property,
)
from tests.worlds.file_lines import object_line

_GOOD = metronome()
_MEBIBYTE = 1024 * 1024


def _padded(key: str, size: int) -> bytes:
    """A good line of exactly `size` bytes, filled up with white space."""
    line = metronome(transaction_id=key)
    return line[:-1] + b" " * (size - len(line)) + b"}"


def _numbered(count: int) -> bytes:
    return object_line({f"p{number}": str(number) for number in range(count)})


def _several_on_a_line() -> list[HostileLine]:
    """Lines of several records, whole and wrong ones."""
    first, again = (_GOOD, "accepted"), (_GOOD, "duplicate")
    other = _GOOD.replace(b"%KEY%", b"%KEY% 2")
    second = (other, "accepted")
    bad, cut, junk = b'{"transaction_id":}', _GOOD[:-20], b",,"
    return [
        several("two-objects", _GOOD + _GOOD, first, again),
        several("two-objects-and-a-space", _GOOD + b" " + _GOOD, first, again),
        several("two-objects-and-a-comma", _GOOD + b"," + _GOOD, first, (b",", "malformed"), again),
        several("two-objects-and-a-carriage-return", _GOOD + b"\r" + _GOOD, first, again),
        several("two-events", _GOOD + other, first, second),
        several("bad-in-the-middle", _GOOD + bad + other, first, (bad, "malformed"), second),
        several("cut-in-the-middle", _GOOD + cut + other, first, (cut, "malformed"), second),
        several("brace-in-the-middle", _GOOD + b"{" + other, first, (b"{", "malformed"), second),
        several("words-in-the-middle", _GOOD + junk + other, first, (junk, "malformed"), second),
        several(
            "empty-in-the-middle", _GOOD + b"{}" + other, first, (b"{}", "missing_field"), second
        ),
        several("cut-short-at-the-end", _GOOD + other + cut, first, second, (cut, "malformed")),
        several("batch", b"[" + _GOOD + b" ,\t" + other + b"]", first, second),
        several("batch-of-one", b"[" + _GOOD + b"]", first),
        several("batch-cut-short", b"[" + _GOOD + b"," + cut, first, (cut, "malformed")),
        several(
            "batch-with-a-bad-one",
            b"[" + _GOOD + b"," + bad + b"," + other + b"]",
            first,
            (bad, "malformed"),
            second,
        ),
        several("batch-and-event", b"[" + _GOOD + b"]" + other, first, second),
        several("wrapped", b'{"events":[' + _GOOD + b"," + other + b"]}", first, second),
        several("wrapped-with-meta", b'{"events":[' + _GOOD + b'],"meta":{"page":1}}', first),
        several("wrapped-after-a-count", b'{"count":1,"data":[' + _GOOD + b"]}", first),
        several("wrapped-twice", (b'{"data":[' + _GOOD + b"]}") * 2, first, again),
        malformed("wrapped-with-two-arrays", "'a' and 'b'", b'{"a":[{}],"b":[{}]}'),
        rejected("wrapped-scalars", Reason.MISSING_FIELD, "is missing", b'{"data":[1,2]}'),
        accepted("an-array-beside-the-fields", metronome(x=b'[{"transaction_id":"x"}]')),
    ]


def carried(name: str, text: str) -> HostileLine:
    """A good line with the same text as key, customer, event name, property name and value."""
    raw = json.dumps(text, ensure_ascii=False).encode()
    return accepted(
        name,
        metronome(
            transaction_id=raw,
            customer_id=raw,
            event_type=raw,
            properties=b"{" + raw + b":" + raw + b"}",
        ),
        idempotency_key=text,
        customer_ref=text,
        event_name=text,
        properties={text: text},
    )


_STRUCTURE = [
    malformed("array", "found an array", b"[1]"),
    malformed("array-of-nothing-known", "found an array", b'["%KEY%",{}]'),
    malformed("string", "found a string", b'"%KEY%"'),
    malformed("number", "found a number", b"17"),
    malformed("null", "found null", b"null"),
    malformed("true", "found a boolean", b"true"),
    *_several_on_a_line(),
    malformed("trailing-comma-inside", "not JSON", _GOOD[:-1] + b",}"),
    malformed("trailing-comma-in-properties", "not JSON", metronome(properties=b'{"a":1,}')),
    malformed("trailing-comma-in-an-array", "not JSON", metronome(x=b"[1,]")),
    malformed("trailing-comma-after", "Extra data", _GOOD + b","),
    malformed("trailing-text", "Extra data", _GOOD + b" ok"),
    malformed("trailing-brace", "Extra data", _GOOD + b"}"),
    malformed("trailing-nul", "Extra data", _GOOD + b"\x00"),
    malformed("leading-comma", "not JSON", b"{," + _GOOD[1:]),
    malformed("comma-twice", "not JSON", _GOOD.replace(b",", b",,", 1)),
    malformed("colon-twice", "not JSON", _GOOD.replace(b":", b"::", 1)),
    malformed("comma-for-colon", "not JSON", _GOOD.replace(b":", b",", 1)),
    malformed("semicolon-for-comma", "not JSON", _GOOD.replace(b",", b";", 1)),
    malformed("comment-after", "Extra data", _GOOD + b" // usage of May"),
    malformed("comment-inside", "not JSON", _GOOD.replace(b",", b", /* key */", 1)),
    malformed("hash-comment", "not JSON", b"# " + _GOOD),
    malformed("single-quotes", "not JSON", _GOOD.replace(b'"', b"'")),
    malformed("typographic-quotes", "not JSON", _GOOD.replace(b'"', "“".encode())),
    malformed("bare-name", "not JSON", _GOOD.replace(b'"customer_id"', b"customer_id")),
    malformed("bare-value", "not JSON", _GOOD.replace(b'"acme"', b"acme")),
    malformed("number-as-name", "not JSON", _GOOD[:-1] + b",17:1}"),
    malformed("null-as-name", "not JSON", _GOOD[:-1] + b",null:1}"),
    malformed("name-without-value", "not JSON", _GOOD[:-1] + b',"x"}'),
    malformed("value-without-name", "not JSON", _GOOD[:-1] + b",:1}"),
    malformed("cut-in-a-name", "not JSON", _GOOD[:5]),
    malformed("cut-in-a-text", "Unterminated string", _GOOD[: _GOOD.index(b"acme") + 2]),
    malformed("cut-in-an-escape", "not JSON", b'{"transaction_id":"%KEY%\\u00'),
    malformed("cut-before-the-last-brace", "not JSON", _GOOD[:-1]),
    malformed("no-first-brace", "not JSON", _GOOD[1:]),
    malformed("brace-alone", "not JSON", b"{"),
    malformed("quote-alone", "not JSON", b'"'),
    malformed("comma-alone", "not JSON", b","),
    malformed("a-json-sequence", "not JSON", b"\x1e" + _GOOD),
    malformed("a-server-sent-event", "not JSON", b"data: " + _GOOD),
    malformed("padded-base64", "not JSON", b"eyJ0cmFuc2FjdGlvbl9pZCI6IiVLRVklIn0="),
    malformed("csv", "Extra data", b"17,acme,http_request,2026-01-01T00:00:00Z"),
    malformed("yaml", "not JSON", b"transaction_id: %KEY%"),
    malformed("html", "not JSON", b"<Error><Code>AccessDenied</Code></Error>"),
    malformed("python-literals", "not JSON", with_property(b"True")),
    malformed("capital-true", "not JSON", with_property(b"TRUE")),
    malformed("undefined", "not JSON", with_property(b"undefined")),
    rejected("empty-object", Reason.MISSING_FIELD, "'transaction_id' is missing", b"{}"),
    rejected("object-of-spaces", Reason.MISSING_FIELD, "is missing", b" {\t} "),
    rejected("envelope-of-null", Reason.MISSING_FIELD, "is missing", b'{"event":null}'),
    rejected("envelope-of-an-array", Reason.MISSING_FIELD, "is missing", b'{"event":[]}'),
    rejected(
        "envelope-and-more", Reason.MISSING_FIELD, "is missing", b'{"event":' + _GOOD + b',"x":1}'
    ),
    rejected(
        "envelope-in-an-envelope",
        Reason.MISSING_FIELD,
        "is missing",
        b'{"event":{"event":' + _GOOD + b"}}",
    ),
    malformed("envelope-twice", "'event' stands twice", b'{"event":{},"event":' + _GOOD + b"}"),
    accepted("envelope", b'{ "event" :\t' + _GOOD + b" }"),
]

_WHITE_SPACE = [
    blank("nothing", b""),
    blank("space", b" "),
    blank("tab", b"\t"),
    blank("carriage-return", b"\r"),
    blank("carriage-returns", b"\r\r\r"),
    blank("spaces-tabs-and-a-carriage-return", b" \t \t\r"),
    blank("a-thousand-spaces", b" " * 1_000),
    blank("a-mebibyte-of-spaces", b" " * _MEBIBYTE),
    rejected(
        "a-mebibyte-of-spaces-and-one",
        Reason.TOO_LARGE,
        "the line has 1048577 bytes",
        b" " * (_MEBIBYTE + 1),
    ),
    accepted("spaces-around", b"  \t" + _GOOD + b" \t "),
    accepted("carriage-return-after", _GOOD + b"\r"),
    accepted("carriage-returns-after", _GOOD + b"\r\r\r"),
    accepted("carriage-return-before", b"\r" + _GOOD),
    accepted("carriage-returns-between", _GOOD.replace(b",", b",\r").replace(b":{", b":\r{")),
    accepted("spaces-between", _GOOD.replace(b",", b" ,\t").replace(b'":', b'" : ')),
    malformed("carriage-return-in-a-text", "control character", _GOOD.replace(b"acme", b"a\rb")),
    malformed("form-feed-alone", "not JSON", b"\x0c"),
    malformed("form-feed-between", "not JSON", _GOOD.replace(b",", b",\x0c", 1)),
    malformed("vertical-tab-between", "not JSON", _GOOD.replace(b",", b",\x0b", 1)),
    malformed("no-break-space-between", "not JSON", _GOOD.replace(b",", b",\xc2\xa0", 1)),
    malformed("no-break-space-alone", "not JSON", b"\xc2\xa0"),
    malformed("line-separator-alone", "not JSON", "\u2028".encode()),
    malformed("line-separator-between", "not JSON", _GOOD.replace(b",", ",\u2028".encode(), 1)),
    malformed("next-line-after", "Extra data", _GOOD + "\u0085".encode()),
    malformed("zero-width-space-alone", "not JSON", "\u200b".encode()),
    malformed("file-separator-alone", "not JSON", b"\x1c"),
    malformed("end-of-file-of-dos", "not JSON", b"\x1a"),
    malformed("nul-alone", "not JSON", b"\x00"),
    malformed("512-nuls", "not JSON", b"\x00" * 512),
]


_CARRIED = [
    carried("sql", "'; DROP TABLE lake.accepted_events; --"),
    carried("sql-of-numbers", "1 OR 1=1"),
    carried("sql-identifier", '"; DELETE FROM "x'),
    carried("sql-parameter", "$batch_id ?1 :name %s"),
    carried("jinja", "{{ env_var('AWS_SECRET_ACCESS_KEY') }}{% raw %}"),
    carried("python-format", "{0.__class__.__mro__} %(x)s {}"),
    carried("shell", "$(rm -rf /) `id` | tee; &"),
    carried("html-tags", "<script>alert(1)</script>&amp;<img src=x onerror=alert(1)>"),
    carried("markup-of-a-terminal", "[bold red]paid[/] [link=file:///etc/passwd]x[/link]"),
    carried("terminal-escape", "\x1b[2J\x1b]0;owned\x07"),
    carried("formula", "=cmd|' /C calc'!A0"),
    carried("formula-of-at", "@SUM(1+1)*cmd|' /C calc'!A0"),
    carried("formula-of-plus", '+HYPERLINK("http://x","paid")'),
    carried("formula-of-minus", "-2+3"),
    carried("path", "../../../etc/passwd"),
    carried("path-of-windows", "C:\\Windows\\..\\x"),
    carried("url", "s3://bucket/prefix?versionId=1#x%00%2e%2e"),
    carried("ldap", "*)(uid=*))(|(uid=*"),
    carried("json-in-a-text", '{"transaction_id":"x"}'),
    carried("csv-in-a-text", 'a,"b"\r\nc;d\t'),
    carried("word-null", "null"),
    carried("word-true", "true"),
    carried("word-nan", "NaN"),
    carried("word-infinity", "-Infinity"),
    carried("number-as-text", "0017"),
    carried("number-of-a-float-as-text", "1e400"),
    carried("space-as-text", " "),
    carried("spaces-at-both-ends", "  acme  "),
    carried("tab-at-both-ends", "\tacme\t"),
    carried("line-end-at-the-end", "acme\n"),
    carried("line-end-inside", "ac\nme"),
    carried("carriage-return-escaped", "ac\r\nme"),
    carried("small-letters", "straße"),
    carried("capital-letters", "STRASSE"),
    carried("composed-letter", "caf\u00e9"),
    carried("combined-letter", "cafe\u0301"),
    carried("compatibility-letter", "\ufb01le"),
    carried("full-width-letters", "ａｃｍｅ"),
    carried("cyrillic-looks-latin", "аcme"),
    carried("turkish-i", "\u0130\u0131"),
    carried("right-to-left", "\u202eemca\u202c"),
    carried("arabic", "عميل ١٢٣"),
    carried("zero-width-space", "ac\u200bme"),
    carried("zero-width-joiners", "\u200d\u200c\u2060"),
    carried("soft-hyphen", "ac\u00adme"),
    carried("no-break-space", "\u00a0acme\u00a0"),
    carried("byte-order-mark-in-a-text", "\ufeffacme"),
    carried("line-separators", "a\u2028b\u2029c\u0085d"),
    carried("fifty-combining-marks", "e" + "\u0301" * 50),
    carried("emoji-of-a-family", "👨\u200d👩\u200d👧\u200d👦"),
    carried("flags", "🇨🇭"),
    carried("control-characters", "\x01\x02\x08\x0b\x0c\x1f"),
    carried("delete", "\x7f"),
    carried("c1-control", "\u0080\u009f"),
    carried("noncharacters", "\ufdd0\uffff\U0001fffe"),
    carried("last-character", "\U0010ffff"),
    carried("around-the-surrogates", "\ud7ff\ue000"),
    carried("private-use", "\ue000\U000f0000"),
    carried("replacement-character", "\ufffd"),
    carried("prototype", "__proto__"),
    carried("unit-separator-of-a-digest", "a\x1fb\x1ec"),
    carried("backslashes", "\\\\\\"),
    carried("quotes", "\"\"''``"),
    carried("brackets", "[[[[[[[[[{{{{{{{{{"),
    carried("255-bytes", "k" * 255),
    carried("255-bytes-of-two-each", "é" * 127 + "k"),
    carried("255-bytes-of-three-each", "漢" * 85),
    carried("255-bytes-of-four-each", "😀" * 63 + "kkk"),
]

_UTF_8 = [
    malformed("invalid-in-a-key", "invalid UTF-8", _GOOD.replace(b"%KEY%", b"%KEY%\xff")),
    malformed("invalid-in-a-name", "invalid UTF-8", _GOOD.replace(b"customer_id", b"c\xfe")),
    malformed("invalid-in-a-value", "invalid UTF-8", _GOOD.replace(b"acme", b"ac\x80me")),
    malformed("invalid-in-a-field-nobody-reads", "invalid UTF-8", metronome(x=b'"\xc3"')),
    malformed("invalid-between", "invalid UTF-8", _GOOD.replace(b",", b",\xff", 1)),
    malformed("invalid-before", "invalid UTF-8 at byte 0", b"\xff" + _GOOD),
    malformed("invalid-after", "invalid UTF-8", _GOOD + b"\xff"),
    malformed("latin-1", "invalid UTF-8", _GOOD.replace(b"acme", "café".encode("latin-1"))),
    malformed("windows-1252", "invalid UTF-8", _GOOD.replace(b"acme", b"ac\x93me\x94")),
    malformed("cut-sequence", "invalid UTF-8", _GOOD.replace(b"acme", b"\xe2\x82")),
    malformed("cut-sequence-at-the-end", "invalid UTF-8", _GOOD + b"\xf0\x9f\x98"),
    malformed("overlong-nul", "invalid UTF-8", _GOOD.replace(b"acme", b"\xc0\x80")),
    malformed("overlong-slash", "invalid UTF-8", _GOOD.replace(b"acme", b"\xc0\xaf")),
    malformed("overlong-of-three", "invalid UTF-8", _GOOD.replace(b"acme", b"\xe0\x80\xaf")),
    malformed("overlong-of-four", "invalid UTF-8", _GOOD.replace(b"acme", b"\xf0\x80\x80\xaf")),
    malformed("overlong-quote", "invalid UTF-8", _GOOD.replace(b"acme", b'\xc0\xa2"')),
    malformed("five-bytes", "invalid UTF-8", _GOOD.replace(b"acme", b"\xf8\x88\x80\x80\x80")),
    malformed("beyond-unicode", "invalid UTF-8", _GOOD.replace(b"acme", b"\xf4\x90\x80\x80")),
    malformed("raw-high-surrogate", "invalid UTF-8", _GOOD.replace(b"acme", b"\xed\xa0\x80")),
    malformed("raw-low-surrogate", "invalid UTF-8", _GOOD.replace(b"acme", b"\xed\xbf\xbf")),
    malformed(
        "raw-pair-of-surrogates",
        "invalid UTF-8",
        _GOOD.replace(b"acme", b"\xed\xa0\xbd\xed\xb8\x80"),
    ),
    malformed(
        "escaped-half-and-raw-half", "invalid UTF-8", _GOOD.replace(b"acme", b"\\ud83d\xed\xb8\x80")
    ),
    malformed("utf-16-line", "invalid UTF-8 at byte 0", "{}".encode("utf-16")),
    malformed("utf-16-line-without-mark", "not JSON", "{}".encode("utf-16-be")),
    malformed("byte-order-mark-on-a-later-line", "not JSON", b"\xef\xbb\xbf" + _GOOD),
    malformed("byte-order-mark-after", "Extra data", _GOOD + b"\xef\xbb\xbf"),
    malformed("byte-order-mark-between", "not JSON", _GOOD.replace(b",", b",\xef\xbb\xbf", 1)),
    malformed("gzip-in-a-line", "invalid UTF-8", b"\x1f\x8b\x08\x00"),
]

_ESCAPES = [
    malformed("raw-nul", "control character", _GOOD.replace(b"acme", b"ac\x00me")),
    malformed("raw-nul-in-a-key", "control character", _GOOD.replace(b"%KEY%", b"\x00")),
    malformed("raw-tab", "control character", _GOOD.replace(b"acme", b"ac\tme")),
    malformed("raw-unit-separator", "control character", _GOOD.replace(b"acme", b"\x1f")),
    malformed("raw-escape", "control character", _GOOD.replace(b"acme", b"\x1b[2J")),
    malformed("escaped-nul", "U+0000", _GOOD.replace(b"acme", b"ac\\u0000me")),
    malformed("escaped-nul-in-a-key", "U+0000", _GOOD.replace(b"%KEY%", b"%KEY%\\u0000")),
    malformed("escaped-nul-in-a-name", "U+0000", metronome(properties=b'{"\\u0000":1}')),
    malformed("escaped-nul-nobody-reads", "U+0000", metronome(x=b'[{"y":"\\u0000"}]')),
    malformed("high-half-alone", "U+D83D", _GOOD.replace(b"acme", b"\\ud83d")),
    malformed("low-half-alone", "U+DE00", _GOOD.replace(b"acme", b"\\uDE00")),
    malformed("halves-the-wrong-way-round", "U+DE00", _GOOD.replace(b"acme", b"\\ude00\\ud83d")),
    malformed("halves-apart", "U+D83D", _GOOD.replace(b"acme", b"\\ud83d-\\ude00")),
    malformed("high-half-twice", "U+D83D", _GOOD.replace(b"acme", b"\\ud83d\\ud83d\\ude00")),
    malformed("half-in-a-key", "U+D800", _GOOD.replace(b"%KEY%", b"%KEY%\\ud800")),
    malformed("half-in-a-property-name", "U+DFFF", metronome(properties=b'{"\\udfff":1}')),
    malformed("half-nobody-reads", "U+DBFF", metronome(x=b'{"y":["\\udbff"]}')),
    malformed(
        "halves-in-two-texts", "U+D83D", metronome(properties=b'{"a":"\\ud83d","b":"\\ude00"}')
    ),
    malformed("escape-of-x", "escape", _GOOD.replace(b"acme", b"\\x61")),
    malformed("escape-of-capital-u", "escape", _GOOD.replace(b"acme", b"\\U0001F600")),
    malformed("escape-in-braces", "escape", _GOOD.replace(b"acme", b"\\u{1F600}")),
    malformed("escape-of-three-digits", "escape", _GOOD.replace(b"acme", b"\\u061")),
    malformed("escape-of-no-digits", "escape", _GOOD.replace(b"acme", b"\\uzzzz")),
    malformed("escape-with-a-sign", "escape", _GOOD.replace(b"acme", b"\\u+061")),
    malformed("escape-with-a-space", "escape", _GOOD.replace(b"acme", b"\\u 061")),
    malformed("escape-of-a-quote-of-c", "escape", _GOOD.replace(b"acme", b"\\'")),
    malformed("escape-of-zero", "escape", _GOOD.replace(b"acme", b"\\0")),
    malformed("escaped-last-quote", "not JSON", _GOOD.replace(b'acme"', b'acme\\"')),
    malformed("escape-outside-a-text", "not JSON", _GOOD.replace(b",", b",\\n", 1)),
    accepted(
        "every-escape",
        _GOOD.replace(b"acme", b'\\"\\\\\\/\\b\\f\\n\\r\\t'),
        customer_ref='"\\/\b\f\n\r\t',
    ),
    accepted("escaped-letters", _GOOD.replace(b"acme", b"\\u0061c\\u006De"), customer_ref="acme"),
    accepted("escaped-field-name", _GOOD.replace(b"customer_id", b"custome\\u0072_id")),
    accepted("whole-pair", _GOOD.replace(b"acme", b"\\uD83D\\ude00"), customer_ref="😀"),
    accepted(
        "two-whole-pairs",
        _GOOD.replace(b"acme", b"\\ud83d\\ude00\\ud83d\\ude01"),
        customer_ref="😀😁",
    ),
    accepted(
        "escaped-backslash-before-u", _GOOD.replace(b"acme", b"\\\\u0000"), customer_ref="\\u0000"
    ),
    accepted(
        "escaped-backslash-before-a-half",
        _GOOD.replace(b"acme", b"\\\\ud800"),
        customer_ref="\\ud800",
    ),
    accepted("escaped-one", _GOOD.replace(b"acme", b"\\u0001"), customer_ref="\x01"),
    accepted("escaped-line-end", _GOOD.replace(b"acme", b"\\u000a"), customer_ref="\n"),
]

_REPEATED_NAMES = [
    malformed("name-twice", "'customer_id' stands twice", metronome(x=b'1,"customer_id":"b"')),
    malformed("name-twice-same-value", "stands twice", metronome(x=b'1,"customer_id":"acme"')),
    malformed("key-twice", "stands twice", metronome(x=b'1,"transaction_id":"other"')),
    malformed("name-twice-by-escape", "'customer_id'", metronome(x=b'1,"\\u0063ustomer_id":"b"')),
    malformed("name-twice-nobody-reads", "'x' stands twice", metronome(x=b'1,"x":1')),
    malformed("name-thrice", "stands twice", metronome(x=b'1,"x":1,"x":1')),
    malformed("property-twice", "'a' stands twice", metronome(properties=b'{"a":1,"a":2}')),
    malformed("property-twice-by-escape", "'a'", metronome(properties=b'{"a":1,"\\u0061":1}')),
    malformed("property-twice-null-first", "'a'", metronome(properties=b'{"a":null,"a":1}')),
    malformed("empty-property-twice", "'' stands twice", metronome(properties=b'{"":1,"":1}')),
    malformed(
        "accented-property-twice",
        "stands twice",
        metronome(properties='{"é":1,"\\u00E9":1}'.encode()),
    ),
    malformed(
        "emoji-property-twice",
        "stands twice",
        metronome(properties='{"😀":1,"\\ud83d\\ude00":1}'.encode()),
    ),
    malformed("twice-in-an-array", "'b' stands twice", metronome(x=b'[{"b":1,"b":1}]')),
    malformed("twice-far-below", "'b' stands twice", metronome(x=b'{"a":{"a":{"b":1,"b":1}}}')),
    malformed(
        "long-name-twice",
        "stands twice",
        metronome(properties=b'{"' + b"n" * 5_000 + b'":1,"' + b"n" * 5_000 + b'":1}'),
    ),
    accepted(
        "names-that-differ-by-composition",
        metronome(properties='{"\u00e9":1,"e\u0301":2}'.encode()),
        properties={"\u00e9": "1", "e\u0301": "2"},
    ),
    accepted(
        "names-that-differ-by-case",
        metronome(properties=b'{"a":1,"A":2}', Customer_id="other"),
        properties={"a": "1", "A": "2"},
    ),
    accepted(
        "names-that-differ-by-a-space",
        metronome(properties=b'{"a":1,"a ":2," a":3}'),
        properties={"a": "1", "a ": "2", " a": "3"},
    ),
    accepted(
        "names-that-differ-by-width",
        metronome(properties='{"a":1,"\uff41":2,"a\u200b":3}'.encode()),
        properties={"a": "1", "\uff41": "2", "a\u200b": "3"},
    ),
    accepted("one-name-in-two-objects", metronome(x=b'{"a":{"a":1},"b":{"a":1}}')),
    accepted(
        "a-field-name-as-property",
        metronome(properties=b'{"customer_id":"b"}'),
        properties={"customer_id": "b"},
    ),
]

_DEPTH = [
    accepted("eight-levels-nobody-reads", metronome(x=b"[" * 7 + b"]" * 7)),
    accepted("eight-levels-of-objects", metronome(x=b'{"a":' * 6 + b"{}" + b"}" * 6)),
    accepted("many-shallow-arrays", metronome(x=b"[" + b"[],[[]]," * 500 + b"0]")),
    accepted("brackets-in-a-text", metronome(x=b'"' + b"[{" * 500 + b'"')),
    accepted("brackets-after-an-escaped-quote", metronome(x=b'"\\"[[[[[[[[[","y":"]\\\\"')),
    malformed("nine-levels-nobody-reads", "deeper than 8", metronome(x=b"[" * 8 + b"]" * 8)),
    malformed(
        "nine-levels-of-objects", "deeper than 8", metronome(x=b'{"a":' * 7 + b"{}" + b"}" * 7)
    ),
    malformed(
        "nine-levels-in-an-envelope",
        "deeper than 8",
        b'{"event":' + metronome(x=b"[" * 7 + b"]" * 7) + b"}",
    ),
    malformed("a-thousand-levels", "deeper than 8", metronome(x=b"[" * 1_000 + b"]" * 1_000)),
    malformed("half-a-million-open-arrays", "deeper than 8", b"[" * 500_000),
    malformed("open-objects", "deeper than 8", b'{"a":' * 100_000),
    malformed("open-arrays-after-an-escape", "deeper than 8", b'{"a":"\\\\","b":' + b"[" * 9),
    malformed("quotes-without-end", "", b'{"a":[[[[[[[[' + b'"' * 100_001),
    malformed("escaped-quotes-without-end", "", b'{"a":[[[[[[[["' + b'\\"' * 100_000),
    malformed("closing-brackets", "Extra data", _GOOD + b"]" * 100_000),
    accepted(
        "nested-property",
        metronome(properties=b'{"a":{"b":1}}'),
        properties={"a": '{"b":1}'},
    ),
]

_SIZES = [
    accepted("a-mebibyte", _padded("a-mebibyte", _MEBIBYTE)),
    rejected(
        "a-mebibyte-and-a-byte",
        Reason.TOO_LARGE,
        "the line has 1048577 bytes; at most 1048576",
        _padded("too long", _MEBIBYTE + 1),
    ),
    rejected("a-mebibyte-and-a-byte-of-rubbish", Reason.TOO_LARGE, "1048577", b"x" * 1_048_577),
    rejected("a-mebibyte-and-a-byte-not-utf-8", Reason.TOO_LARGE, "1048577", b"\xff" * 1_048_577),
    malformed("a-mebibyte-of-rubbish", "not JSON", b"x" * _MEBIBYTE),
    malformed("a-mebibyte-of-one-text", "found a string", b'"' + b"x" * (_MEBIBYTE - 2) + b'"'),
    malformed("a-mebibyte-of-digits", "found a number", b"7" * _MEBIBYTE),
    malformed("a-mebibyte-of-backslashes", "not JSON", b'{"a":"' + b"\\" * (_MEBIBYTE - 6)),
    accepted(
        "long-property-value",
        with_property(b'"' + b"v" * 900_000 + b'"'),
        properties={"n": "v" * 900_000},
    ),
    accepted("long-field-nobody-reads", metronome(x=b'"' + b"v" * 900_000 + b'"')),
    accepted(
        "ten-thousand-fields-nobody-reads", metronome(**{f"x{n}": b"0" for n in range(10_000)})
    ),
]

_NUMBERS_READ = {
    "zero": "0",
    "minus-zero": "-0",
    "minus-zero-with-a-fraction": "-0.0",
    "minus-zero-with-an-exponent": "-0e-0",
    "trailing-zeros": "1.1000",
    "beyond-2-to-53": "9007199254740993",
    "beyond-2-to-64": "18446744073709551616",
    "more-digits-than-a-double": "0.1234567890123456789",
    "forty-digits": "1234567890123456789012345678901234567890",
    "forty-digits-of-a-fraction": "0.1234567890123456789012345678901234567890",
    "one-third-as-python-writes-it": "0.3333333333333333",
    "21-digits-as-python-writes-them": "1.2222222222222222e-05",
    "above-a-double": "1e400",
    "below-a-double": "1e-400",
    "exponent-without-end": "1e99999999999999999999",
    "exponent-below-without-end": "1E-99999999999999999999",
    "exponent-with-zeros": "1e000001",
    "exponent-with-a-plus": "1E+3",
    "zero-with-an-exponent": "0e0",
    "zero-without-end": "0e99999999999999999999",
    "5000-digits": "7" * 5_000,
    "5000-digits-below-zero": "-" + "7" * 5_000,
    "5000-digits-of-a-fraction": "0." + "7" * 5_000,
    "a-hundred-thousand-digits": "7" * 100_000,
}
_NUMBERS_REFUSED = {
    "leading-zero": "01",
    "leading-zeros": "007",
    "leading-zero-below-zero": "-01",
    "leading-zero-of-a-fraction": "00.5",
    "plus-sign": "+1",
    "two-signs": "--1",
    "sign-alone": "-",
    "sign-and-a-space": "- 1",
    "unicode-minus": "\u22121",
    "no-integer-part": ".5",
    "no-integer-part-below-zero": "-.5",
    "no-fraction": "1.",
    "no-fraction-before-an-exponent": "1.e5",
    "two-points": "1.2.3",
    "no-exponent": "1e",
    "no-exponent-after-its-sign": "1e+",
    "fraction-in-an-exponent": "1e1.5",
    "hexadecimal": "0x1F",
    "octal": "0o17",
    "binary": "0b11",
    "underscore": "1_000",
    "thousands": "1,000",
    "decimal-comma": "1,5",
    "apostrophe": "1'000",
    "suffix": "1L",
    "suffix-of-a-float": "1.5f",
    "percent": "5%",
    "currency": "$5",
    "arabic-digits": "١٢",
    "full-width-digits": "１２",
    "superscript": "1²",
    "fraction-character": "½",
    "small-nan": "nan",
    "nan-below-zero": "-NaN",
    "infinity-with-a-plus": "+Infinity",
    "small-infinity": "infinity",
    "short-infinity": "-inf",
    "c-infinity": "1.#INF",
}

_NUMBERS = [
    *(
        accepted(f"number-{name}", with_property(text.encode()), properties={"n": text})
        for name, text in _NUMBERS_READ.items()
    ),
    *(
        malformed(f"number-{name}", "not JSON", with_property(text.encode()))
        for name, text in _NUMBERS_REFUSED.items()
    ),
    malformed("nan", "NaN is not JSON", with_property(b"NaN")),
    malformed("infinity", "Infinity is not JSON", with_property(b"Infinity")),
    malformed("minus-infinity", "-Infinity is not JSON", with_property(b"-Infinity")),
    malformed("nan-nobody-reads", "NaN is not JSON", metronome(x=b"[[NaN]]")),
    malformed("nan-as-key", "NaN is not JSON", metronome(transaction_id=b"NaN")),
    accepted("number-5000-digits-nobody-reads", metronome(x=b"7" * 5_000)),
]

_WRONG_TYPES = {
    "number": (b"17", "found a number"),
    "number-with-a-fraction": (b"1.5", "found a number"),
    "true": (b"true", "found a boolean"),
    "false": (b"false", "found a boolean"),
    "array": (b'["acme"]', "found an array"),
    "empty-array": (b"[]", "found an array"),
    "object": (b'{"id":"acme"}', "found an object"),
    "empty-object": (b"{}", "found an object"),
}
_TEXT_FIELDS = {"key": "transaction_id", "customer": "customer_id", "name": "event_type"}

_FIELDS = [
    *(
        malformed(
            f"{role}-of-type-{kind}",
            f"{field!r} must be a string, {found}",
            metronome(**{field: value}),
        )
        for role, field in _TEXT_FIELDS.items()
        for kind, (value, found) in _WRONG_TYPES.items()
    ),
    *(
        rejected(
            f"{role}-{kind}",
            Reason.MISSING_FIELD,
            f"{field!r} is missing",
            metronome(**{field: value}),
        )
        for role, field in _TEXT_FIELDS.items()
        for kind, value in {"absent": None, "null": b"null", "empty": b'""'}.items()
    ),
    *(
        rejected(
            f"{role}-of-256-bytes-{kind}",
            Reason.TOO_LARGE,
            f"{field!r} is longer than 255 bytes",
            metronome(**{field: f'"{text}"'.encode()}),
        )
        for role, field in _TEXT_FIELDS.items()
        for kind, text in {
            "of-one": "k" * 256,
            "of-two": "é" * 128,
            "of-three": "漢" * 85 + "k",
            "of-four": "😀" * 64,
        }.items()
    ),
    rejected(
        "key-of-a-million-bytes",
        Reason.TOO_LARGE,
        "'transaction_id' is longer than 255 bytes",
        metronome(transaction_id=b'"' + b"k" * 1_000_000 + b'"'),
    ),
    rejected(
        "key-of-256-bytes-once-unescaped",
        Reason.TOO_LARGE,
        "longer than 255 bytes",
        metronome(transaction_id=b'"' + b"\\u00e9" * 128 + b'"'),
    ),
    accepted(
        "key-of-254-bytes-once-unescaped",
        metronome(transaction_id=b'"' + b"\\u00e9" * 127 + b'"'),
        idempotency_key="é" * 127,
    ),
    rejected("only-other-fields", Reason.MISSING_FIELD, "'transaction_id'", b'{"id":"%KEY%"}'),
    rejected(
        "field-of-another-case",
        Reason.MISSING_FIELD,
        "'customer_id'",
        _GOOD.replace(b"customer_id", b"Customer_Id"),
    ),
    rejected(
        "field-with-a-space",
        Reason.MISSING_FIELD,
        "'customer_id'",
        _GOOD.replace(b'"customer_id"', b'"customer_id "'),
    ),
    rejected(
        "field-with-a-zero-width-space",
        Reason.MISSING_FIELD,
        "'customer_id'",
        _GOOD.replace(b'"customer_id"', '"customer_id\u200b"'.encode()),
    ),
]

_PROPERTIES = [
    accepted("properties-absent", metronome(properties=None), properties={}),
    accepted("properties-null", metronome(properties=b"null"), properties={}),
    accepted("properties-empty", metronome(properties=b"{}"), properties={}),
    accepted("property-true", with_property(b"true"), properties={"n": "true"}),
    accepted("property-false", with_property(b"false"), properties={"n": "false"}),
    accepted("property-empty", with_property(b'""'), properties={"n": ""}),
    accepted("property-name-empty", metronome(properties=b'{"":"x"}'), properties={"": "x"}),
    accepted("property-text-nan", with_property(b'"NaN"'), properties={"n": "NaN"}),
    *(
        accepted(f"property-{kind}", with_property(value), properties={"n": value.decode()})
        for kind, value in {
            "array": b"[1]",
            "empty-array": b"[]",
            "object": b'{"a":1}',
            "empty-object": b"{}",
            "array-with-white-space": b"[ 1.0,\t{} ]",
            "array-of-brackets-in-texts": b'["]", "\\"}[", {"a":"{"}]',
            "object-with-null": b'{"a":null}',
        }.items()
    ),
    accepted("property-null", with_property(b"null"), properties={}),
    malformed("property-array-with-a-key-twice", "stands twice", with_property(b'[{"a":1,"a":2}]')),
    malformed("property-array-with-nan", "NaN is not JSON", with_property(b"[NaN]")),
    malformed("property-array-with-nul", "U+0000", with_property(b'["\\u0000"]')),
    malformed("property-array-not-closed", "not JSON", with_property(b"[1")),
    malformed("property-array-too-deep", "deeper than 8", with_property(b"[" * 7 + b"]" * 7)),
    accepted(
        "property-array-as-deep-as-is-read",
        with_property(b"[" * 6 + b"]" * 6),
        properties={"n": "[" * 6 + "]" * 6},
    ),
    accepted(
        "200-properties-and-a-null",
        metronome(properties=_numbered(200)[:-1] + b',"n":null}'),
        properties={f"p{number}": str(number) for number in range(200)},
    ),
    rejected(
        "201-nested-properties",
        Reason.TOO_LARGE,
        "201 properties; at most 200 are read",
        metronome(properties={f"p{number}": [number] for number in range(201)}),
    ),
    *(
        rejected(
            f"properties-of-type-{kind}",
            Reason.INVALID_PROPERTY,
            f"properties must be an object, {found}",
            metronome(properties=value),
        )
        for kind, (value, found) in {
            "array": (b"[]", "found an array"),
            "text": (b'"{}"', "found a string"),
            "empty-text": (b'""', "found a string"),
            "number": (b"0", "found a number"),
            "boolean": (b"false", "found a boolean"),
        }.items()
    ),
    accepted(
        "200-properties",
        metronome(properties=_numbered(200)),
        properties={f"p{number}": str(number) for number in range(200)},
    ),
    rejected(
        "201-properties",
        Reason.TOO_LARGE,
        "201 properties; at most 200 are read",
        metronome(properties=_numbered(201)),
    ),
    rejected(
        "20000-properties",
        Reason.TOO_LARGE,
        "20000 properties",
        metronome(properties=_numbered(20_000)),
    ),
    *(
        accepted(
            f"property-name-of-255-bytes-{kind}",
            metronome(properties={name: "x"}),
            properties={name: "x"},
        )
        for kind, name in {
            "of-one": "n" * 255,
            "of-two": "é" * 127 + "n",
            "of-four": "😀" * 63 + "nnn",
        }.items()
    ),
    *(
        rejected(
            f"property-name-of-256-bytes-{kind}",
            Reason.INVALID_PROPERTY,
            "a property name is longer than 255 bytes",
            metronome(properties={name: "x"}),
        )
        for kind, name in {"of-one": "n" * 256, "of-two": "é" * 128, "of-four": "😀" * 64}.items()
    ),
]

LINES = (
    *_STRUCTURE,
    *_WHITE_SPACE,
    *_CARRIED,
    *_UTF_8,
    *_ESCAPES,
    *_REPEATED_NAMES,
    *_DEPTH,
    *_SIZES,
    *_NUMBERS,
    *_FIELDS,
    *_PROPERTIES,
)
"""All cases of this module."""
