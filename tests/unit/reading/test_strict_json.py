"""Strict JSON by its exact bytes: values keep their text, and a refusal says where it is."""

import pytest

from pipelines.reading.strict_json import JsonValue, Number, StrictJsonError, parse_object


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("0", id="zero"),
        pytest.param("-0", id="negative-zero"),
        pytest.param("-0.0", id="negative-zero-with-fraction"),
        pytest.param("1.0", id="trailing-zero-of-a-fraction"),
        pytest.param("0.1234567890123456789", id="more-digits-than-a-double-holds"),
        pytest.param("9007199254740993", id="beyond-2-to-53"),
        pytest.param("18446744073709551617", id="beyond-2-to-64"),
        pytest.param("1e400", id="exponent-beyond-a-double"),
        pytest.param("1E-400", id="exponent-below-a-double"),
        pytest.param("1.2222222222222222e-05", id="as-python-prints-a-float"),
        pytest.param("-" + "7" * 5_000, id="5000-digits"),
        pytest.param("0." + "7" * 5_000, id="5000-fraction-digits"),
    ],
)
def test_number_keeps_its_source_text(text: str) -> None:
    value = parse_object(b'{"n": ' + text.encode() + b"}")["n"]

    assert type(value) is Number
    assert value == text


@pytest.mark.parametrize(
    ("line", "members"),
    [
        pytest.param(b"{}", {}, id="empty"),
        pytest.param(b' \t{"a" : "b"}\r ', {"a": "b"}, id="white-space-around"),
        pytest.param(b'{"a":null,"b":true,"c":false}', {"a": None, "b": True, "c": False}, id="l"),
        pytest.param(b'{"":""}', {"": ""}, id="empty-key-and-text"),
        pytest.param(b'{"a":"\\u00e9\\n\\/\\\\"}', {"a": "é\n/\\"}, id="escapes"),
        pytest.param('{"a":"é漢😀"}'.encode(), {"a": "é漢😀"}, id="utf-8"),
        pytest.param(b'{"a":"\\ud83d\\ude00"}', {"a": "😀"}, id="escaped-surrogate-pair"),
        pytest.param('{"a":"x\u2028y\u2029"}'.encode(), {"a": "x\u2028y\u2029"}, id="u-2028"),
        pytest.param(b'{"a":1,"A":2}', {"a": "1", "A": "2"}, id="keys-differ-in-case"),
        pytest.param(b'{"a":{"b":1},"c":{"b":2}}', {"a": {"b": "1"}, "c": {"b": "2"}}, id="n"),
    ],
)
def test_strict_json_is_read(line: bytes, members: dict[str, JsonValue]) -> None:
    assert parse_object(line) == members


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        pytest.param(b"", "not JSON: Expecting value at character 1", id="nothing"),
        pytest.param(b"[]", "expected a JSON object, found an array", id="array"),
        pytest.param(b'"{}"', "expected a JSON object, found a string", id="string"),
        pytest.param(b"17", "expected a JSON object, found a number", id="number"),
        pytest.param(b"true", "expected a JSON object, found a boolean", id="boolean"),
        pytest.param(b"null", "expected a JSON object, found null", id="null"),
        pytest.param(b'{"a":1', "not JSON", id="cut-short"),
        pytest.param(b'{"a":"x', "not JSON: Unterminated string", id="cut-short-in-a-string"),
        pytest.param(b'{"a":1,}', "not JSON", id="trailing-comma"),
        pytest.param(b"{'a':1}", "not JSON", id="single-quotes"),
        pytest.param(b"{a:1}", "not JSON", id="bare-key"),
        pytest.param(b'{"a":1 /* no */}', "not JSON", id="comment"),
        pytest.param(b'{"a":True}', "not JSON", id="python-literal"),
        pytest.param(b'{"a":01}', "not JSON", id="leading-zero"),
        pytest.param(b'{"a":+1}', "not JSON", id="plus-sign"),
        pytest.param(b'{"a":.5}', "not JSON", id="no-integer-part"),
        pytest.param(b'{"a":1.}', "not JSON", id="no-fraction-digit"),
        pytest.param(b'{"a":1e}', "not JSON", id="no-exponent-digit"),
        pytest.param(b'{"a":-}', "not JSON", id="sign-alone"),
        pytest.param(b'{"a":0x1F}', "not JSON", id="hexadecimal"),
        pytest.param(b'{"a":1_000}', "not JSON", id="underscore"),
        pytest.param('{"a":١}'.encode(), "not JSON", id="arabic-digit"),
        pytest.param(b'{"a":"\\q"}', "not JSON: Invalid \\escape", id="unknown-escape"),
        pytest.param(b'{"a":"\t"}', "not JSON: Invalid control character", id="bare-tab"),
        pytest.param(b'{"a":"\x00"}', "not JSON: Invalid control character", id="bare-nul"),
        pytest.param(b"\x00", "not JSON", id="nul-alone"),
        pytest.param(b'{"a":\x0b1}', "not JSON", id="vertical-tab-is-no-white-space"),
    ],
)
def test_what_is_no_json_object_is_refused(line: bytes, sentence: str) -> None:
    _assert_refused(line, sentence)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'{"a":1} x', id="a-word"),
        pytest.param(b'{"a":1}{"a":1}', id="another-object"),
        pytest.param(b'{"a":1},', id="a-comma"),
        pytest.param(b'{"a":1}]', id="a-bracket"),
        pytest.param(b'{"a":1}\r{"a":1}', id="an-object-after-a-carriage-return"),
        pytest.param(b'{"a":1}\x00', id="a-nul"),
    ],
)
def test_text_after_the_object_is_refused(line: bytes) -> None:
    _assert_refused(line, "not JSON: Extra data at character ")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        pytest.param(b'{"a":1,"a":1}', "'a'", id="same-value"),
        pytest.param(b'{"a":1,"b":2,"a":3}', "'a'", id="apart"),
        pytest.param(b'{"a":1,"\\u0061":1}', "'a'", id="by-escape"),
        pytest.param('{"é":1,"\\u00E9":1}'.encode(), "'\\xe9'", id="by-escape-beyond-ascii"),
        pytest.param(b'{"":1,"":2}', "''", id="empty-key"),
        pytest.param(b'{"p":{"a":1,"a":1}}', "'a'", id="nested"),
        pytest.param(b'{"p":[{"a":1,"a":1}]}', "'a'", id="nested-in-an-array"),
    ],
)
def test_repeated_key_is_refused_and_named(line: bytes, name: str) -> None:
    _assert_refused(line, f"key {name} stands twice in one object")


def test_sentence_about_a_long_key_stays_short() -> None:
    name = b'"' + b"k" * 100_000 + b'"'

    with pytest.raises(StrictJsonError) as refusal:
        parse_object(b"{" + name + b":1," + name + b":2}")
    assert len(str(refusal.value)) < 120


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("line", ['{{"a":{}}}', '{{"a":[1,{{"b":{}}}]}}'])
def test_not_a_number_is_refused_at_any_depth(name: str, line: str) -> None:
    _assert_refused(line.format(name).encode(), f"{name} is not JSON")


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "+Infinity", "-NaN", "NAN"])
def test_other_spellings_of_not_a_number_are_refused(text: str) -> None:
    _assert_refused(f'{{"a":{text}}}'.encode(), "not JSON")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        pytest.param(b'{"a":"\\ud800"}', "U+D800", id="high-half-alone"),
        pytest.param(b'{"a":"\\uDFFF"}', "U+DFFF", id="low-half-alone"),
        pytest.param(b'{"a":"\\ude00\\ud83d"}', "U+DE00", id="pair-the-wrong-way-round"),
        pytest.param(b'{"a":"x\\ud83dx\\ude00"}', "U+D83D", id="pair-apart"),
        pytest.param(b'{"\\ud800":1}', "U+D800", id="in-a-key"),
        pytest.param(b'{"p":{"a":"\\ud800"}}', "U+D800", id="nested"),
        pytest.param(b'{"p":["x","\\ud800"]}', "U+D800", id="in-an-array"),
        pytest.param(b'{"a":"x\\u0000y"}', "U+0000", id="nul"),
        pytest.param(b'{"\\u0000":1}', "U+0000", id="nul-in-a-key"),
    ],
)
def test_text_that_cannot_be_stored_is_refused(line: bytes, sentence: str) -> None:
    _assert_refused(line, sentence)


@pytest.mark.parametrize(
    ("line", "byte"),
    [
        pytest.param(b"\xff", 0, id="no-first-byte"),
        pytest.param(b'{"a":"\x80"}', 6, id="continuation-alone"),
        pytest.param(b'{"a":"\xc0\x80"}', 6, id="overlong-nul"),
        pytest.param(b'{"a":"\xe2\x82"}', 6, id="sequence-cut-short"),
        pytest.param(b'{"a":"\xed\xa0\x80"}', 6, id="raw-surrogate"),
        pytest.param(b'{"a":"\xf4\x90\x80\x80"}', 6, id="beyond-u-10ffff"),
        pytest.param('{"a":"é"}'.encode("latin-1"), 6, id="latin-1"),
        pytest.param('{"a":1}'.encode("utf-16"), 0, id="utf-16"),
    ],
)
def test_invalid_utf_8_is_refused_with_its_place(line: bytes, byte: int) -> None:
    _assert_refused(line, f"invalid UTF-8 at byte {byte} of the line")


def test_byte_order_mark_is_no_part_of_an_object() -> None:
    _assert_refused(b'\xef\xbb\xbf{"a":1}', "not JSON: Expecting value at character 1")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'{"a":' * 7 + b"{}" + b"}" * 7, id="8-objects"),
        pytest.param(b'{"a":[[[[[[[1]]]]]]]}', id="object-and-7-arrays"),
        pytest.param(b'{"a":[[],[],[],[],[]],"b":[],"c":[],"d":[],"e":{},"f":{}}', id="wide"),
        pytest.param(b'{"a":"[[[[[[[[","{{{{{{{{":1}', id="brackets-in-texts"),
        pytest.param(b'{"a":"\\"[[[[[[[[","b":"\\\\","c":"]]]]["}', id="after-escaped-quotes"),
    ],
)
def test_eight_levels_are_read(line: bytes) -> None:
    assert parse_object(line)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'{"a":' * 8 + b"{}" + b"}" * 8, id="9-objects"),
        pytest.param(b'{"a":[[[[[[[[]]]]]]]]}', id="object-and-8-arrays"),
        pytest.param(
            b'{"a":"\\\\","b":[[[[[[[[]]]]]]]]}', id="after-a-text-that-ends-in-a-backslash"
        ),
        pytest.param(b'{"a":' + b"[" * 100_000, id="100000-open-arrays"),
        pytest.param(b'{"a":' * 100_000, id="100000-open-objects"),
    ],
)
def test_a_ninth_level_is_refused(line: bytes) -> None:
    _assert_refused(line, "nested deeper than 8 levels")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'{"a":{{{{{{{{"' + b'\\"' * 500_000, id="unclosed-string-of-escaped-quotes"),
        pytest.param(b'{"a":{{{{{{{{' + b'"' * 1_000_001, id="quotes"),
        pytest.param(b'{"a":{{{{{{{{"' + b"\\" * 1_000_001, id="unclosed-string-of-backslashes"),
        pytest.param(b'{"a":[[[' + b"1,[]," * 200_000, id="many-shallow-arrays"),
    ],
)
def test_a_mebibyte_of_anything_is_refused_at_once(line: bytes) -> None:
    """A pattern that started again at each quote took 40 minutes for the first of these lines."""
    with pytest.raises(StrictJsonError):
        parse_object(line)


def _assert_refused(line: bytes, sentence: str) -> None:
    with pytest.raises(StrictJsonError) as refusal:
        parse_object(line)
    assert sentence in str(refusal.value)
