"""The group that preview names is the text that SQL makes of it."""

import duckdb
import pytest

from pipelines.preview.group_keys import group_key


@pytest.mark.parametrize(
    ("group", "key"),
    [
        ({}, "{}"),
        ({"region": "eu", "cloud": "aws"}, '{"cloud":"aws","region":"eu"}'),
        ({"region": ""}, '{"region":""}'),
        ({"é": 'a"b\\'}, '{"é":"a\\"b\\\\"}'),
        ({"region": "a\x1fb"}, '{"region":"a\\u001Fb"}'),
    ],
)
def test_group_is_json_with_its_names_in_order(group: dict[str, str], key: str) -> None:
    assert group_key(group) == key


def test_each_sign_is_written_as_duckdb_writes_it() -> None:
    signs = [chr(point) for point in (*range(1, 0x300), 0x2028, 0x2029, 0xFEFF, 0x1F600)]
    texts = [f"a{sign}b" for sign in signs]
    query = "select cast(to_json(unnest(?)) as varchar)"
    with duckdb.connect() as connection:
        written = [text for (text,) in connection.execute(query, [texts]).fetchall()]

    assert [group_key({"x": text}) for text in texts] == [f'{{"x":{text}}}' for text in written]
