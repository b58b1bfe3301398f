"""Scenario files as data: values, places, and located errors for whatever a file may hold."""

import os
import pickle
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from marl_health.spec.document import MOST_BYTES, Document, load_document, merge, parse_document
from marl_health.spec.errors import Problem, ScenarioError

HOSPITAL = """\
# a hospital
name: small
staff:
  nurse: {shifts: {00:00: 2, 08:00: 3}}
pathway:
  triage:
    use: nurse
    for: {lognormal: {mean: 6 min, sd: 3 min}}
    next:
      - {if: acuity == 1, go: bay}
      - else: home
choice: {1: 30%, 2: 70%}
"""


def wrong(text: str) -> list[Problem]:
    with pytest.raises(ScenarioError) as caught:
        parse_document(text, "f.yaml")
    assert caught.value.problems
    return caught.value.problems


def test_data_are_plain_and_keys_are_text() -> None:
    document = parse_document(HOSPITAL, "f.yaml")
    assert document.data["staff"] == {"nurse": {"shifts": {"00:00": 2, "08:00": 3}}}
    assert document.data["choice"] == {"1": "30%", "2": "70%"}
    assert document.data["pathway"]["triage"]["next"][1] == {"else": "home"}
    assert type(document.data) is dict
    assert type(document.data["name"]) is str


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("07:30", "07:30"),
        ("19:30", "19:30"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("1e0", 1.0),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("+3", 3),
        ("007", 7),
        ("0x1F", 31),
        ("0o17", 15),
        ("1_000", "1_000"),
        ("2026-01-01", "2026-01-01"),
        ("30 min", "30 min"),
        ("'1'", "1"),
        ('"a\\tb"', "a\tb"),
        ("null", None),
        ("{}", {}),
        ("[]", []),
        ("''", ""),
    ],
)
def test_scalars_follow_yaml_1_2(written: str, value: object) -> None:
    read = parse_document(f"a: {written}", "f.yaml").data["a"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("name",), 2, 1),
        (("staff", "nurse", "shifts", "08:00"), 4, 30),
        (("pathway", "triage", "for", "lognormal", "sd"), 8, 36),
        (("pathway", "triage", "next", 0), 10, 9),
        (("pathway", "triage", "next", 0, "go"), 10, 27),
        (("pathway", "triage", "next", 1, "else"), 11, 9),
        (("pathway", "triage", "wait", "mean"), 6, 3),  # not there: the nearest ancestor
        (("nothing",), 2, 1),
        ((), 2, 1),
    ],
)
def test_places(path: tuple[str | int, ...], line: int, column: int) -> None:
    assert parse_document(HOSPITAL, "f.yaml").locate(path) == ("f.yaml", line, column)


def test_a_problem_reads_as_file_line_column_path_message() -> None:
    problem = parse_document(HOSPITAL, "f.yaml").problem(("pathway", "triage", "for", "lognormal", "sd"), "is odd")
    assert str(problem) == "f.yaml:8:36: pathway.triage.for.lognormal.sd: is odd"
    assert str(Problem("f.yaml", 1, 1, "", "is empty")) == "f.yaml:1:1: is empty"


def test_an_error_lists_at_most_thirty_problems_and_survives_pickling() -> None:
    error = ScenarioError(Problem("f.yaml", n, 1, "a", "is odd") for n in range(1, 43))
    lines = str(error).splitlines()
    assert len(lines) == 31
    assert lines[-1] == "... and 12 more"
    assert pickle.loads(pickle.dumps(error)).problems == error.problems


def test_all_problems_of_a_file_are_told_at_once() -> None:
    problems = wrong("a: 1\nb: .nan\na: 2\nc: {d: , e: !tag 3}\nf:\n")
    assert [(p.line, p.path) for p in problems] == [(2, "b"), (3, "a"), (4, "c.d"), (4, "c.e"), (5, "f")]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "empty"),
        ("# only a remark\n", 1, 1, "empty"),
        ("- a\n- b", 1, 1, "a list at the top"),
        ("hello", 1, 1, "a single value at the top"),
        ("a: 1\nb: 2\na: 3", 3, 1, "'a' is written twice, in lines 1 and 3"),
        ("a: {1: x, '1': y}", 1, 11, "'1' is written twice, in line 1"),
        ("a:\nb: 1", 1, 1, "has no value"),
        ("a: {b: , c: 1}", 1, 5, "has no value"),
        ("a: {count:4}", 1, 5, "write 'count: 4', with a space"),
        ("a: [x,\n  ", 2, 3, "missing here"),
        (": 3", 1, 1, "a key is missing"),
        ("a: &x [1]\nb: 2", 1, 4, "anchors are not allowed"),
        ("b: *x", 1, 4, "anchors are not allowed"),
        ("a: {<<: {b: 1}}", 1, 5, "merge keys are not allowed"),
        ("a: !!python/object/apply:os.system ['ls']", 1, 4, "tag"),
        ("if: !walks", 1, 5, "write 'not'"),
        ("a: 1\n---\nb: 2", 2, 1, "second document"),
        ("%YAML 1.1\n---\na: 1", 2, 1, "directives"),
        ("a: .inf", 1, 4, "finite"),
        ("a: -.INF", 1, 4, "finite"),
        ("a: .NaN", 1, 4, "finite"),
        ("a: 1e999", 1, 4, "too large"),
        ("a: " + "9" * 4000, 1, 4, "too large"),
        ("a: 0x" + "f" * 4000, 1, 4, "too large"),
        ("{a: b}: 1", 1, 1, "where a key is expected"),
        ("? [a]\n: 1", 1, 3, "where a key is expected"),
        ("a:\n\tb: 1", 2, 1, "tab"),
        ("a:\t1\nb:\tc", 1, 3, "tab"),
        ("a: b\0", 1, 5, "U+0000"),
        ("a: 1\nb: \x1b[31m", 2, 4, "U+001B"),
        ("a: \ud800", 1, 4, "U+D800"),
        ("a: [1, 2\nb: 3", 2, 2, "',' or ']' is missing"),
        ("a: {b: 1\nc: 3}", 2, 2, "',' or '}' is missing"),
        ("a: ]", 1, 4, "bracket"),
        ('a: "x\nb: 3', 2, 5, "quotation mark is never closed"),
        ("a: 'it's'", 1, 8, "quotation mark"),
        ("a:1\nb: 2", 2, 2, "space is missing after the ':' in line 1"),
        ("a: b: c", 1, 5, "':' is not expected here"),
        ("a:\n    b: 1\n  c: 2", 3, 3, "line up"),
        ("a: @x", 1, 4, "cannot begin with '@'"),
        ("a: %x", 1, 4, "cannot begin with '%'"),
        ("a: - b", 1, 4, "list entry"),
        ('a: "\\q"', 1, 6, "backslash"),
        ('a: "\\0"', 1, 4, "U+0000"),
        ('a: "\\ud800"', 1, 4, "U+D800"),
        ('a: "\\UFFFFFFFF"', 1, 1, "cannot be read as YAML"),
        ("k" * 300 + ": 1", 1, 1, "one short line"),
        ('"a\\nb": 1', 1, 1, "one short line"),
        ("a: " + "x" * 6000, 1, 4, "at most 5000"),
        ("a: " + "x" * 60000, 1, 1, "at most 20000"),
        ("a: " + "[" * 40 + "]" * 40, 1, 43, "nested more than 40 deep"),
        ("\n".join(" " * n + "a:" for n in range(500)), 41, 41, "nested more than 40 deep"),
        ("a:\n" + "- 1\n" * 19_999, 20_001, 1, "20000"),
    ],
)
def test_a_bad_text_is_told_with_its_place_and_remedy(text: str, line: int, column: int, words: str) -> None:
    problem = wrong(text)[0]
    assert words in problem.message
    assert problem.file == "f.yaml"
    assert (problem.line, problem.column) == (line, column), str(problem)
    assert "\n" not in str(problem)


def hostile() -> dict[str, str]:
    size = MOST_BYTES - 100
    wide = 19_900  # just within the longest line
    rows = size // wide
    return {
        "nesting in one line": "a: " + "[" * size,
        "nesting over lines": "a:\n" + "[\n" * (size // 2),
        "wide nesting": "a:\n" + (" " + "[" * (wide - 5) + "\n") * rows,
        "mappings": "a: " + "{a: " * (size // 4),
        "keys of keys": "? " * (size // 2),
        "lists of lists": "- " * (size // 2),
        "bomb": 'a: &a ["x"]\n' + "".join(f"k{n}: &k{n} [{', '.join(['*a'] * 9)}]\n" for n in range(1000)),
        "many values": "a: [" + ",\n".join(["1,2,3,4,5,6,7,8,9"] * 15_000) + "]",
        "many keys": "".join(f"k{n}: {{a: {n}}}\n" for n in range(19_000)),
        "the same key": "a: 1\n" * 15_000,
        "long text": 'a: "' + ("\\n" * (wide // 2) + "\n") * rows + '"',
        "open quote": 'a: "' + ("x y " * (wide // 4) + "\n") * rows,
        "plain text": "a: " + ("x " * (wide // 2) + "\n  ") * (rows - 1),
        "block text": "a: |\n" + ("  " + "x" * wide + "\n") * (rows - 1),
        "remarks": "a: 1\n" + ("#" * wide + "\n") * rows,
        "blank lines": "a: 1" + "\n" * size,
        "colons": (": " * (wide // 2) + "\n") * rows,
        "question marks": "?\n" * 15_000,
        "commas": "a: [" + ("," * wide + "\n") * rows,
        "documents": "---\n" * 15_000,
        "tags": "a: [" + "!a b,\n" * 15_000 + "]",
        "too large": "a: 1\n" * 400_000,
    }


@pytest.mark.parametrize("name", list(hostile()))
def test_hostile_texts_end_soon(name: str) -> None:
    began = time.process_time()
    try:
        parse_document(hostile()[name], "f.yaml")
    except ScenarioError as error:
        assert len(error.problems) <= 101
        assert len(str(error)) < 20_000
    assert time.process_time() - began < 4.0


@pytest.mark.parametrize(
    ("raw", "line", "words"),
    [
        (b"\xff\xfea\x00", 1, "not UTF-8"),
        (b"a: 1\nb: \xe9\n", 2, "not UTF-8"),
        (bytes(range(256)) * 100, 2, "not UTF-8"),
        (b"a: \0\n", 1, "U+0000"),
        (b"a: 1\n" * 250_000, 1, "larger than 1 MB"),
    ],
)
def test_bad_bytes(tmp_path: Path, raw: bytes, line: int, words: str) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(raw)
    with pytest.raises(ScenarioError) as caught:
        load_document(file)
    assert words in str(caught.value)
    assert caught.value.problems[0].line == line


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    bad = [
        (tmp_path, "is a folder; name a YAML file"),
        (tmp_path / "none.yaml", "there is no such file; check its name"),
        (pipe, "is not an ordinary file; name a YAML file"),
        (Path("a\0b"), "cannot be read: embedded null byte"),
    ]
    for path, message in bad:
        with pytest.raises(ScenarioError) as caught:
            load_document(path)
        assert str(caught.value) == f"{path}:1:1: {message}".replace("\0", r"\x00")


def test_a_file_with_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(b"\xef\xbb\xbfname: x\r\nb:\r\n  c: 1\r\n")
    document = load_document(file)
    assert document.data == {"name": "x", "b": {"c": 1}}
    assert document.locate(("b", "c")) == (str(file), 3, 3)


def test_merge_keeps_the_place_of_every_value() -> None:
    base = parse_document("name: base\nicu: {beds: 24, clean: 45 min}\nlist: [1, 2, 3]\ngone: 1\n", "base.yaml")
    top = parse_document("name: top\nlist: [4]\nicu:\n  beds: 30\n  new: {a: 1}\ngone: null\n", "top.yaml")
    both = merge(base, top)
    assert both.file == "top.yaml"
    assert both.data == {"name": "top", "icu": {"beds": 30, "clean": "45 min", "new": {"a": 1}}, "list": [4]}
    assert both.locate(("name",)) == ("top.yaml", 1, 1)
    assert both.locate(("icu", "beds")) == ("top.yaml", 4, 3)
    assert both.locate(("icu", "clean")) == ("base.yaml", 2, 17)
    assert both.locate(("icu", "new", "a")) == ("top.yaml", 5, 9)
    assert both.locate(("list", 0)) == ("top.yaml", 2, 8)
    assert both.locate(("list", 2)) == ("top.yaml", 2, 1)
    assert both.problem(("icu", "clean"), "is odd").file == "base.yaml"
    assert base.data["icu"] == {"beds": 24, "clean": "45 min"}, "the base must not change"
    both.data["icu"]["new"]["a"] = 2
    assert top.data["icu"]["new"] == {"a": 1}


def test_what_holds_by_the_hour_is_replaced_as_a_whole() -> None:
    base = parse_document('nurse: {shifts: {"00:00": 1, "07:00": 4, "22:00": 2}, cost: 1}', "base.yaml")
    both = merge(base, parse_document('nurse: {shifts: {"00:00": 1, "08:00": 2}}', "top.yaml"))
    assert both.data == {"nurse": {"shifts": {"00:00": 1, "08:00": 2}, "cost": 1}}
    assert both.locate(("nurse", "shifts", "08:00")).file == "top.yaml"


def test_merge_refuses_to_remove_what_is_not_there() -> None:
    base = parse_document("icu: {beds: 24}", "base.yaml")
    for text in ("icu: {bed: null}", "ward: {a: null}\nicu: {bed: null}"):
        with pytest.raises(ScenarioError) as caught:
            merge(base, parse_document(text, "top.yaml"))
        assert "did you mean 'beds'?" in str(caught.value)
        assert caught.value.problems[-1].file == "top.yaml"


def test_values_agree_with_the_loader_of_the_library() -> None:
    """Our own reading of events against ruamel's composed data, keys aside."""

    def plain(value: object) -> object:
        if isinstance(value, dict):
            return {str(key): plain(item) for key, item in value.items()}
        return [plain(item) for item in value] if isinstance(value, list) else value

    text = HOSPITAL.replace("00:00: 2, 08:00: 3", "a: 2, b: 3")
    assert parse_document(text, "f.yaml").data == plain(YAML(typ="safe", pure=True).load(text))


_PIECES = st.sampled_from(
    [
        *":-?[]{},#&*!|>'\"%@`~\n \t.0",
        "a",
        "key: ",
        "\n  ",
        "- ",
        ": ",
        "<<",
        "null",
        "1e5",
        "---\n",
        "é",
        "\u2028",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(_PIECES, max_size=60).map("".join)))
@example("? \n? a\n: &b")
@example("a: >\n\n  - \x85")
@example("!<")
def test_any_text_gives_a_document_or_located_problems(text: str) -> None:
    try:
        document = parse_document(text, "f.yaml")
    except ScenarioError as error:
        for problem in error.problems:
            assert problem.line >= 1
            assert problem.column >= 1
            assert problem.message
            assert "\n" not in str(problem)
    else:
        assert isinstance(document, Document)
        assert all(type(key) is str for key in document.data)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_document_or_located_problems(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(raw)
    try:
        load_document(file)
    except ScenarioError as error:
        assert error.problems


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_mutated_scenario_gives_a_document_or_located_problems(data: st.DataObject) -> None:
    text = HOSPITAL
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 20)))
        text = text[:start] + data.draw(st.one_of(_PIECES, st.text(max_size=4))) + text[end:]
    try:
        parse_document(text, "f.yaml")
    except ScenarioError as error:
        assert error.problems[0].line <= text.count("\n") + 2 + sum(map(text.count, "\x85\u2028\u2029\r"))


def test_a_part_is_a_document_whose_values_keep_their_places() -> None:
    document = parse_document("name: a\nstages:\n  - changes: {vary: {demand: 3}}\n", "course.yaml")
    part = document.part(("stages", 0, "changes"))
    assert part.data == {"vary": {"demand": 3}}
    assert part.locate(("vary", "demand")) == document.locate(("stages", 0, "changes", "vary", "demand"))
    assert part.locate(("other",)) == document.locate(("stages", 0, "changes"))
