"""What a catalog may say of how events are read and decided: optional columns and files."""

from pathlib import Path

import pytest

from pipelines.catalog.catalog import catalog_digest
from pipelines.catalog.frozen import FrozenCatalogs
from pipelines.reading.dialects import DIALECTS, readers_of
from pipelines.reading.dialects.event import FieldPath
from pipelines.reading.dialects.not_usage import NotUsage
from pipelines.reading.layout import Layout
from tests.worlds.catalogs import METRICS, RIGHT, Edit, problems_of, read

HEADER = RIGHT["sources.csv"].splitlines()[0]
OPTIONAL = "idempotency_key_fields,late_lookup,conflicts_expected,not_usage"

SAYING = {
    **RIGHT,
    "sources.csv": f"""\
{HEADER},{OPTIONAL}
cdn,metronome,,,,,path,,,,
own,custom,,,,,last_modified,$.meta.id;seq,,yes,
ride,togai,,,,,last_modified,timestamp;accountID;dimensions.city,yes,no,schemaName=ping;x.test=true|1
""",
    "source_fields.csv": """\
source,field,path,form
own,customer,$.account.id,
own,event_name,api_call,constant
own,timestamp,at,unix_milliseconds
own,properties.bytes,$['usage.bytes'],
""",
    "event_schemas.csv": """\
source,event_name,name,kind,is_required
ride,ride,km,attribute,yes
ride,ride,city,dimension,no
""",
}


def said(**files: str) -> dict[str, str]:
    return {**SAYING, **files}


def test_a_source_is_read_and_decided_as_the_catalog_says(tmp_path: Path) -> None:
    sources = read(tmp_path, SAYING).sources

    assert sources.select("source", "late_lookup", "conflicts_expected").rows() == [
        ("cdn", False, False),
        ("own", False, True),
        ("ride", True, False),
    ]
    readers = readers_of(sources)
    assert list(readers) == ["cdn", "own", "ride"]
    cdn, own, ride = readers.values()
    assert cdn == DIALECTS["metronome"]
    assert own.form.key == (FieldPath(("meta", "id")), "seq")
    assert own.form.customer.fields == (FieldPath(("account", "id")),)
    assert ride.form.key == ("timestamp", "accountID", FieldPath(("dimensions", "city")))
    assert ride.dedupe_window == DIALECTS["togai"].dedupe_window
    assert ride.form.schemas is not None
    assert ride.form.schemas.by_name["ride"].attributes == ("km",)
    assert own.form.not_usage == ()
    assert ride.form.not_usage == (
        NotUsage("schemaName", ("ping",)),
        NotUsage(FieldPath(("x", "test")), ("true", "1")),
    )
    assert ride.form.schemas.by_name["ride"].dimensions == ()


def test_what_is_said_is_frozen_with_the_rest(tmp_path: Path) -> None:
    (tmp_path / "silent").mkdir()
    catalog = read(tmp_path, SAYING)
    catalogs = FrozenCatalogs(tmp_path / "frozen", METRICS, "code")
    catalogs.freeze(catalog)

    assert set(catalog.files) == SAYING.keys()
    assert catalogs.sources(catalog.digest).equals(catalog.sources)
    silent = read(tmp_path / "silent")
    assert "source_fields.csv" not in silent.files
    assert silent.digest == catalog_digest({name: RIGHT[name].encode() for name in RIGHT})


@pytest.mark.parametrize("columns", ["late_lookup", "idempotency_key_fields,conflicts_expected"])
def test_each_optional_column_may_be_left_out(tmp_path: Path, columns: str) -> None:
    cells = "," * (columns.count(",") + 1)
    rows = f"{HEADER},{columns}\ncdn,metronome,,,,,path{cells}\n"

    assert read(tmp_path, {**RIGHT, "sources.csv": rows}).sources["source"].to_list() == ["cdn"]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ("late_lookups", "the unknown column 'late_lookups' (meant is late_lookup?)"),
        ("late_lookup,late_lookup", "'late_lookup' twice"),
    ],
)
def test_other_columns_are_refused(tmp_path: Path, columns: str, reason: str) -> None:
    rows = f"{HEADER},{columns}\n"

    (problem,) = (
        text
        for text in problems_of(tmp_path, {**RIGHT, "sources.csv": rows})
        if text.startswith("sources.csv")
    )

    assert problem.startswith(f"sources.csv, row 1: the header has {reason}; write source,")


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        pytest.param(
            Edit("sources.csv", "path,,,", "path,,maybe,"),
            "sources.csv, row 2, column late_lookup: 'maybe' is not known; write one of: yes, no",
            id="neither-yes-nor-no",
        ),
        pytest.param(
            Edit("sources.csv", "$.meta.id;seq", "$.meta.id;a[0]"),
            "sources.csv, row 3, column idempotency_key_fields: 'a[0]' is not a path of members",
            id="key-in-an-array",
        ),
        pytest.param(
            Edit("sources.csv", "$.meta.id;seq", "seq;seq"),
            "sources.csv, row 3, column idempotency_key_fields: 'seq;seq' has a name twice",
            id="key-field-twice",
        ),
        pytest.param(
            Edit("source_fields.csv", "own,customer,$.account.id,", "own,customer,0,folder"),
            "source_fields.csv, row 2, column path: '0' names no folder; write its number below",
            id="folder-0",
        ),
        pytest.param(
            Edit("source_fields.csv", "own,customer,$.account.id,", "own,json_text,a,nested"),
            "source_fields.csv, row 2, column form: 'nested' is not a form of 'json_text'",
            id="form-of-a-json-text",
        ),
        pytest.param(
            Edit("source_fields.csv", "own,customer", "owm,customer"),
            "source_fields.csv, row 2, column source: 'owm' is not in sources.csv",
            id="fields-of-nobody",
        ),
        *(
            pytest.param(
                Edit("sources.csv", "own,custom,,,,,last_modified,$.meta.id;seq,,yes,", row),
                f"sources.csv, row 3, column not_usage: '{cell.split(';')[0]}' does not say what",
                id=f"not-usage-{number}",
            )
            for number, cell in enumerate(["type", "type=", "type=a|", "type=a|a", "b;type=a"])
            for row in [f"own,custom,,,,,last_modified,$.meta.id;seq,,yes,{cell}"]
        ),
        pytest.param(
            Edit(
                "sources.csv",
                "own,custom,,,,,last_modified,$.meta.id;seq,,yes,",
                "own,custom,,,,,last_modified,$.meta.id;seq,,yes,a[0]=x",
            ),
            "sources.csv, row 3, column not_usage: 'a[0]' is not a path of members",
            id="not-usage-in-an-array",
        ),
        pytest.param(
            Edit("source_fields.csv", "unix_milliseconds", "millis"),
            "source_fields.csv, row 4, column form: 'millis' is not a form of 'timestamp'; "
            "write one of: rfc3339, iso8601, iso8601_utc, unix_seconds, unix_milliseconds, ",
            id="unknown-form",
        ),
        pytest.param(
            Edit("source_fields.csv", "$['usage.bytes']", "$.usage[*]"),
            "source_fields.csv, row 5, column path: '$.usage[*]' is not a path of members",
            id="path-in-an-array",
        ),
        pytest.param(
            Edit("source_fields.csv", "own,event_name", "own,name"),
            "source_fields.csv, row 3, column field: 'name' is not a field of an event",
            id="unknown-field",
        ),
        pytest.param(
            Edit("event_schemas.csv", "city,dimension", "km,dimension"),
            "event_schemas.csv, row 3, column name: 'ride', 'ride', 'km' stands in row 2 already",
            id="attribute-and-dimension",
        ),
        pytest.param(
            Edit("event_schemas.csv", "km,attribute", "km,measure"),
            "event_schemas.csv, row 2, column kind: 'measure' is not known",
            id="unknown-kind",
        ),
        pytest.param(
            Edit("event_schemas.csv", "ride,ride,km", "rides,ride,km"),
            "event_schemas.csv, row 2, column source: 'rides' is not in sources.csv",
            id="schema-of-nobody",
        ),
    ],
)
def test_what_cannot_be_is_named_by_its_place(tmp_path: Path, edit: Edit, problem: str) -> None:
    (found,) = problems_of(tmp_path, edit.of(SAYING))

    assert found.startswith(problem)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_fields_of_every_dialect_may_stand_elsewhere(tmp_path: Path, dialect: str) -> None:
    sources = Edit("sources.csv", "own,custom", f"own,{dialect}").of(SAYING)

    own = readers_of(read(tmp_path, sources).sources)["own"].form

    assert own.customer.fields == (FieldPath(("account", "id")),)
    assert own.timestamp.field == "at"


def test_late_look_up_keeps_the_rule_about_windows_and_needs_no_warning(tmp_path: Path) -> None:
    # A quarter has up to 92 days; usage of its first days may come in its last.
    quarters = RIGHT["subscriptions.csv"].replace("basic,month,1", "basic,quarter,1")
    source = f"{HEADER},late_lookup\ncdn,metronome,,40,{{}},,path,{{}}\n"

    def files(days: int, late_lookup: str) -> dict[str, str]:
        rows = source.format(days, late_lookup)
        return {**RIGHT, "sources.csv": rows, "subscriptions.csv": quarters}

    assert len(read(tmp_path, files(39, "no")).warnings) == 1
    assert read(tmp_path, files(39, "yes")).warnings == ()
    (problem,) = problems_of(tmp_path, files(40, "yes"))
    assert "max_lateness + future_skew <= window must hold" in problem


@pytest.mark.parametrize(
    ("row", "count"),
    [
        ("meter,stripe,,,,,path,,,,", 1),
        ("meter,stripe,,,,,path,identifier,,,", 0),
        ("meter,lago,,,,,path,,,,", 0),
    ],
    ids=["its-own-key", "a-declared-key", "another-dialect"],
)
def test_a_key_that_may_be_a_place_is_a_warning(tmp_path: Path, row: str, count: int) -> None:
    sources = f"{HEADER},{OPTIONAL}\ncdn,metronome,,,,,path,,,,\n{row}\n"

    warnings = read(tmp_path, {**RIGHT, "sources.csv": sources}).warnings

    found = [warning for warning in warnings if warning.startswith("source 'meter' may send")]
    assert len(found) == count
    assert all("exported again with other bytes counts again" in each for each in found)


LAYOUT = "paths,batch_member,format,null_text,separator,decimal_separator"


def _with_layout(cells: str) -> dict[str, str]:
    columns = f"{HEADER},{LAYOUT}\ncdn,metronome,,,,,path,{cells}\n"
    return {**RIGHT, "sources.csv": columns}


def test_a_source_says_how_its_files_are_written(tmp_path: Path) -> None:
    cells = '*.csv;usage/*,result,csv,\\N,tab,","'

    sources = read(tmp_path, _with_layout(cells)).sources

    assert sources["paths"].to_list() == [["*.csv", "usage/*"]]
    assert readers_of(sources)["cdn"].layout == Layout(
        batch_member="result",
        format="csv",
        null_text="\\N",
        separator="\t",
        decimal_separator=",",
    )


@pytest.mark.parametrize("word", ["NULL", "null", "\\N", "-"])
def test_any_word_may_stand_for_an_empty_cell(word: str, tmp_path: Path) -> None:
    sources = read(tmp_path, _with_layout(f",,,{word},,")).sources

    assert sources["null_text"].to_list() == [word]


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        pytest.param(",,xml,,,", "column format: 'xml' is not known", id="format"),
        pytest.param(",,,,comma,", "column separator: 'comma' separates no cells", id="separator"),
        pytest.param(",,,,,;", "column decimal_separator: ';' is not known", id="decimal"),
        pytest.param("a;;b,,,,,", "column paths: 'a;;b' has an empty name", id="paths"),
        pytest.param(",null,,,,", "column batch_member: 'null' is ambiguous", id="member"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(cells: str, sentence: str, tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, _with_layout(cells))

    assert sentence in str(problem)
