"""Filters and matches are read strictly, and what excludes each other is found."""

import re

import pytest

from pipelines.catalog.filters import (
    Condition,
    are_disjoint,
    match_text,
    parse_filter,
    parse_match,
)


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("region=eu", [Condition("region", "in", ("eu",))]),
        ("region=eu|us", [Condition("region", "in", ("eu", "us"))]),
        ("region!=eu|us", [Condition("region", "not_in", ("eu", "us"))]),
        ("region?", [Condition("region", "exists", ())]),
        ("region!?", [Condition("region", "absent", ())]),
        ("ms>5", [Condition("ms", "gt", ("5",))]),
        ("ms>=5.25", [Condition("ms", "gte", ("5.25",))]),
        ("ms<-5", [Condition("ms", "lt", ("-5",))]),
        ("ms<=0", [Condition("ms", "lte", ("0",))]),
        ("region=", [Condition("region", "in", ("",))]),
        ("a.b=1;c d=x y", [Condition("a.b", "in", ("1",)), Condition("c d", "in", ("x y",))]),
        ("a%3D%3B=%7C%25%21|b", [Condition("a=;", "in", ("|%!", "b"))]),
        ("stadt=M%C3%BCnchen|Köln", [Condition("stadt", "in", ("München", "Köln"))]),
        ("a=b?c<d>", [Condition("a", "in", ("b?c<d>",))]),
    ],
)
def test_a_filter_is_conditions(text: str, conditions: list[Condition]) -> None:
    assert list(parse_filter(text)) == conditions


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty; write a value"),
        ("region", "'region' has the condition 'region'; write one like region=eu|us"),
        ("=eu", "has the condition '=eu'"),
        ("region=eu;", "has the condition ''"),
        ("region?x", "has 'x' after '?'; remove it"),
        ("region=eu|eu", "has a text twice in 'region=eu|eu'"),
        ("region=a=b", "has the texts 'a=b'; percent-encode"),
        ("region=100%", "has the texts '100%'; percent-encode"),
        ("ms>", "compares with ''; write a plain decimal"),
        ("ms>1e3", "compares with '1e3'; write a plain decimal"),
        ("ms>=01", "compares with '01'; write a plain decimal"),
        ("region=%FF", "'%FF' is not UTF-8 once decoded"),
    ],
)
def test_an_ill_formed_filter_says_what_to_write(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        parse_filter(text)


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("region=eu", {"region": "eu"}),
        ("region=eu;cloud=*", {"region": "eu", "cloud": "*"}),
        ("region=", {"region": ""}),
        ("a%3Bb=%7C%25", {"a;b": "|%"}),
    ],
)
def test_a_match_is_a_text_for_each_property(text: str, texts: dict[str, str]) -> None:
    assert parse_match(text) == texts


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        ({"region": "eu", "cloud": "*"}, "region=eu;cloud=*"),
        ({"a;b": "x=y|z", "c?<>": "?<>!%"}, "a%3Bb=x%3Dy%7Cz;c%3F%3C%3E=?<>%21%25"),
        ({"region": " south america ", "tab": "\t"}, "region=%20south america%20;tab=%09"),
        ({"region": "é\x85", "line": "a\u2028b"}, "region=é%C2%85;line=a%E2%80%A8b"),
        ({"region": ""}, "region="),
    ],
)
def test_the_text_of_a_match_is_read_back(texts: dict[str, str], text: str) -> None:
    assert match_text(texts) == text
    assert parse_match(text) == texts


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("region", "has the part 'region'; write a text for each property"),
        ("region=eu|us", "has the part 'region=eu|us'"),
        ("region!=eu", "has the part 'region!=eu'"),
        ("region=eu;region=us", "names 'region' twice; write it once"),
        ("region=eu;", "has the part ''"),
    ],
)
def test_an_ill_formed_match_says_what_to_write(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        parse_match(text)


@pytest.mark.parametrize(
    ("one", "other", "are"),
    [
        ("region=eu", "region=us", True),
        ("region=eu|us", "region=us", False),
        ("region=eu", "region!=eu|us", True),
        ("region=eu|us", "region!=eu", False),
        ("region?", "region!?", True),
        ("region=eu", "region!?", False),
        ("ms>5", "ms<5", False),
        ("region=eu;cloud=aws", "region=eu;cloud=gcp", True),
        ("region=eu", "cloud=aws", False),
        ("region!=eu", "region!=eu", False),
    ],
)
def test_filters_exclude_each_other_by_one_property(one: str, other: str, *, are: bool) -> None:
    first, second = parse_filter(one), parse_filter(other)

    assert are_disjoint(first, second) is are
    assert are_disjoint(second, first) is are
    assert not are_disjoint(first, ())
