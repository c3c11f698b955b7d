"""Batches of events in JSON: each element is found, and a bad one does not affect others."""

import hashlib
from collections.abc import Iterator

import pytest

from pipelines.reading.formats.json_batches import OPEN_BRACKETS_MAX, split_elements
from pipelines.reading.formats.records import Record
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.limits import LINE_BYTES_MAX
from tests.worlds.file_lines import event_line, padded_line
from tests.worlds.formats import parse_cut_out, parse_file


def _elements(content: bytes) -> list[bytes | None]:
    """The texts of the elements. None: a blank one."""
    found: list[bytes | None] = []
    for number, record in enumerate(split_elements([content]), start=1):
        if record is not None:
            assert isinstance(record.content, bytes)
            assert record.byte_offset is not None
            assert record.byte_length is not None
            end = record.byte_offset + record.byte_length
            assert record.number == number
            assert content[record.byte_offset : end] == record.content
            assert record.sha256 == hashlib.sha256(record.content).digest()
        found.append(None if record is None else record.content)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("content", "elements"),
    [
        pytest.param(b"[]", [], id="empty"),
        pytest.param(b"[ \r\n ]\n", [], id="empty with white space"),
        pytest.param(b'{"events":[]}', [], id="empty and wrapped"),
        pytest.param(b"[{}]", [b"{}"], id="one"),
        pytest.param(b"\xef\xbb\xbf[{}]", [b"{}"], id="byte order mark"),
        pytest.param(b'[{"a":1},{"b":2}]', [b'{"a":1}', b'{"b":2}'], id="two"),
        pytest.param(
            b'[\n  {\n "a": 1\n  }\n ,\t{}\r\n]', [b'{\n "a": 1\n  }', b"{}"], id="pretty"
        ),
        pytest.param(b' { "events" : [ {} , {} ] } ', [b"{}", b"{}"], id="wrapped"),
        pytest.param(b'{"events":[{}]}\n{"events":[{},{}]}', [b"{}"] * 3, id="bodies"),
        pytest.param(b'[{}]\n{"events":[{}]}[{}]', [b"{}"] * 3, id="arrays and bodies"),
        pytest.param(b'[{"a":"]},{\\""},{}]', [b'{"a":"]},{\\""}', b"{}"], id="structure in text"),
        pytest.param(b'[{"a":"\\\\"},{}]', [b'{"a":"\\\\"}', b"{}"], id="escaped backslash"),
        pytest.param(b'[{"a":[{},[1,2]]},{}]', [b'{"a":[{},[1,2]]}', b"{}"], id="nested"),
        pytest.param(b'[1,"a,b",null]', [b"1", b'"a,b"', b"null"], id="no objects"),
        pytest.param(b"[{} {},{}]", [b"{} {}", b"{}"], id="a comma forgotten"),
        pytest.param(b"[{},]", [b"{}", None], id="a comma too many"),
        pytest.param(b"[, ,{}]", [None, None, b"{}"], id="blanks"),
        pytest.param(b"[{\xff},{}]", [b"{\xff}", b"{}"], id="invalid UTF-8"),
        pytest.param(b"[[{}],{}]", [b"[{}]", b"{}"], id="an array in the array"),
        pytest.param(b'{"events":[{}],"n":1}', [b"{}"], id="a member beside events"),
        pytest.param(b'{"n":"]","events":[{},{}],"m":{}}', [b"{}"] * 2, id="members around events"),
        pytest.param(b'{"n":2,"data":[{},{}]}', [b"{}"] * 2, id="the only array of objects"),
        pytest.param(b'{"data":[1],"n":[]}', [b'{"data":[1],"n":[]}'], id="no array of objects"),
        pytest.param(b"[{}] {}", [b"{}"] * 2, id="an event after the batch"),
        pytest.param(b'{"a":1}\n[{}]{"b":2}', [b'{"a":1}', b"{}", b'{"b":2}'], id="a mix"),
        pytest.param(b'{\n "a": 1\n}\n{\n}\n', [b'{\n "a": 1\n}', b"{\n}"], id="pretty objects"),
    ],
)
def test_elements_are_told_apart(content: bytes, elements: list[bytes | None]) -> None:
    assert _elements(content) == elements


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"[", "truncated", id="nothing but a bracket"),
        pytest.param(b"[{}", "truncated", id="after an element"),
        pytest.param(b"[{},", "truncated", id="after a comma"),
        pytest.param(b'[{"a":"', "inside element 1, which begins at byte 1", id="in a text"),
        pytest.param(b'[{},{"a":1', "inside element 2, which begins at byte 4", id="in the second"),
        pytest.param(b'{"events":[{}]', "truncated", id="the wrapper is not closed"),
        pytest.param(b'{"events":[{}],}', "byte 14: expected }", id="a comma too many"),
        pytest.param(b'{"events":[{}],"n" 1}', "byte 15: expected }", id="no colon after a name"),
        pytest.param(b'[{}] {"a":1', "truncated", id="an event cut short after the batch"),
        pytest.param(b'[{}] {"a":]}', "did not open", id="a wrong event after the batch"),
        pytest.param(b"[{}],", "byte 4: expected [", id="a comma after the batch"),
        pytest.param(b'[{"a":1]},{}]', "did not open", id="the wrong bracket"),
        pytest.param(b"[{}},{}]", "did not open", id="a bracket too many"),
        pytest.param(b'[{"a":[1},{"b":2]}]', "begins at byte 1 closes", id="brackets crossed"),
    ],
)
def test_elements_that_cannot_be_told_apart_cost_the_file(content: bytes, reason: str) -> None:
    for window_bytes in (1, 1000):
        blocks = [content[at : at + 1] for at in range(len(content))]
        with pytest.raises(UnreadableFileError) as refused:
            list(split_elements(blocks, window_bytes))
        assert reason in str(refused.value)


def test_a_bad_element_costs_no_neighbour() -> None:
    good = [event_line(transaction_id=str(number)) for number in range(4)]
    elements = [good[0], b'{"a" 1}', good[1], b"null", good[2], b"", b'{"a":NaN}', good[3]]

    parsed = parse_file("cdn/a.json", b"[" + b",\n".join(elements) + b"]")

    assert parsed.event_lines == [1, 3, 5, 8]
    assert parsed.reasons == {2: "malformed", 4: "malformed", 7: "malformed"}
    assert (parsed.lines, parsed.blank) == (8, 1)


@pytest.mark.parametrize("around", [b"", b" " * 3, b"\n" * LINE_BYTES_MAX], ids=len)
@pytest.mark.parametrize("window_bytes", [1000, 2**20, 2**23])
@pytest.mark.parametrize(
    ("size", "reasons"),
    [(LINE_BYTES_MAX, {}), (LINE_BYTES_MAX + 1, {2: "too_large"}), (2**22, {2: "too_large"})],
)
def test_longest_element_is_read_and_a_longer_one_is_passed_over(
    size: int, reasons: dict[int, str], window_bytes: int, around: bytes
) -> None:
    small, large = event_line(), padded_line(size)
    content = b"[" + small + b"," + around + large + around + b"," + small + b"]"
    blocks = (content[at : at + 65_536] for at in range(0, len(content), 65_536))

    parsed = parse_cut_out(split_elements(blocks, window_bytes))

    assert parsed.reasons == reasons
    assert parsed.event_lines == [line for line in (1, 2, 3) if line not in reasons]
    place = ("byte_offset", "byte_length", "line_sha256")
    rows = [
        *parsed.events.select("line", *place).rows(),
        *parsed.rejections.select("line", *place).rows(),
    ]
    start = 2 + len(small) + len(around)
    assert (2, start, size, hashlib.sha256(large).digest()) in rows


def test_an_element_of_any_length_takes_bounded_memory() -> None:
    def blocks() -> Iterator[bytes]:
        yield b'[{"a":"'
        for _ in range(200):
            yield b"\\" * 50_000 + b"x" * 50_000
        yield b'"},{}]'

    records = split_elements(blocks(), window_bytes=65_536)
    first, second = list(records)

    assert isinstance(first, Record)
    assert first.byte_length == 200 * 100_000 + len(b'{"a":""}')
    assert second is not None
    assert second.content == b"{}"


def test_deep_nesting_is_followed_up_to_a_limit() -> None:
    deepest = b"[" * OPEN_BRACKETS_MAX + b"]" * OPEN_BRACKETS_MAX

    parsed = parse_file("cdn/a.json", b"[" + deepest + b"," + event_line() + b"]")

    assert (parsed.reasons, parsed.event_lines) == ({1: "malformed"}, [2])
    with pytest.raises(UnreadableFileError, match="nested deeper than 1000 levels"):
        parse_file("cdn/a.json", b"[[" + deepest + b"]]")
