"""The report: everything that a scenario says is in it, with its source; in Markdown and as a page of its own."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import marl_health
from marl_health.worlds.flow.graph import targets
from orchestration.document.inputs import inputs, phrase
from orchestration.document.logic import logic
from orchestration.document.pathway import pathway_of
from tests.orchestration.command_line import invoke

pytest.importorskip("matplotlib")
HERE = Path(__file__).parent
CLINIC = str(HERE / "clinic.yaml")
SMALL = str(HERE.parent / "worlds" / "small_hospital.yaml")
SCENARIOS = [CLINIC, SMALL, *marl_health.scenarios()]
STRESS = ["1. Objectives", "2. Logic", "3. Data", "4. Experimentation", "5. Implementation", "6. Code access"]


def leaves(value, path=()):
    """(path, value) of everything that a scenario's file says and that is neither a mapping nor a list."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, (*path, key))
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part, path)
    else:
        yield path, value


# ------------------------------------------------------------ what is said
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_number_and_every_source_is_in_the_report(name):
    scenario = marl_health.load(name)
    text = invoke("document", name).stdout
    rows = [row for found in inputs(scenario.sketch).values() for row in found]
    said = " ".join(f"{row.value} {row.source}" for row in rows)
    numbers = 0
    for path, value in leaves(scenario.sketch):
        if path[0] in ("schema", "name", "version", "description", "tags", "kind", "extends"):
            continue
        if isinstance(value, bool) or not re.search(r"\d", str(value)) or path[-1] in ("source", "note", "if", "when"):
            continue
        assert str(value) in said or re.fullmatch(r"[A-Za-z_][\w.]*", str(value)), (path, value)
        numbers += 1
    assert numbers > 10
    for path, value in leaves(scenario.sketch):
        if path[-1] == "source":
            assert " ".join(str(value).split()).replace("|", "\\|") in text, path
    assert all(row.source for row in rows)
    for heading in STRESS:
        assert f"## {heading}" in text


def test_sources_are_told_from_assumptions():
    found = inputs(
        {
            "places": {
                "bed": {"count": 4, "source": "counted"},
                "bay": {"count": 5, "source": "Assumption; a guess"},
                "room": {"count": 6, "note": "all of them"},
            },
            "clock": {"episode": "2 days"},
        }
    )
    assert [(row.thing, row.assumed) for row in found["places"]] == [("bed", False), ("bay", True), ("room", True)]
    assert found["places"][2].source == "none given: an assumption (all of them)"
    assert (found["clock"][0].source, found["clock"][0].assumed) == ("chosen for this study", False)


def test_parts_of_a_sum_keep_their_sources():
    talk = {"by": "language", "other": "10 min", "else": "0 min", "source": "Doe 2020"}
    step = {"use": "nurse", "for": {"plus": ["5 min", talk]}, "source": "assumption"}
    (row,) = inputs({"pathway": {"triage": step}})["pathway"]
    assert row.source == "assumption; Doe 2020" and "10 min" in row.value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"lognormal": {"mean": "6 min", "sd": "3 min"}, "source": "x"}, "lognormal, mean 6 min, sd 3 min"),
        ({"choice": {"1": "10%", "2": "else"}}, "1 (10%), 2 (the rest)"),
        ({"times": ["booked", {"uniform": [1, 2]}]}, "booked × uniform from 1 to 2"),
        ({"share": "90%", "of": {"constant": "2 h"}}, "90% of 2 h"),
        ({"chance": "35%"}, "yes with chance 35%"),
        (
            {"by": "acuity", "1": 3, "else": {"exponential": {"mean": 4}}},
            "by acuity: 1: 3; otherwise: exponential, mean 4",
        ),
        ({"split": {"home": "80%", "ward": "else"}}, "home 80%, ward the rest"),
        ({"at": "07:00", "on": ["Monday", "Tuesday", "Wednesday"], "count": 2}, "07:00 Monday to Wednesday: 2"),
        ({"at": "07:00"}, "07:00 every day: 1"),
        ({"table": "a.csv", "column": "n"}, "column n of a.csv"),
    ],
)
def test_numbers_in_words(value, words):
    assert phrase(value) == words


# ------------------------------------------------------------ what is drawn
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_drawing_has_every_step_and_every_way(name):
    scenario = marl_health.load(name)
    graph = pathway_of(scenario.whole)
    assert set(scenario.spec.pathway) <= set(graph.nodes)
    assert all(end in graph.nodes for link in graph.links for end in link)
    for step, spec in scenario.spec.pathway.items():
        ends = [step]
        if hasattr(spec, "together"):
            for parallel in spec.together.values():
                assert (step, parallel.do[0]) in graph.links
            ends = [parallel.do[-1] for parallel in spec.together.values()]
        for target, _ in targets(getattr(spec, "next", None), ()):
            assert all((end, target) in graph.links for end in ends)
    for kind, entity in scenario.spec.entities.items():
        assert (f"+{kind}", entity.begins) in graph.links
    for timer in scenario.spec.timers:
        assert (f"@{timer}", scenario.spec.timers[timer].go) in graph.links


# ------------------------------------------------------------ what is written
class Checker(HTMLParser):
    """Notes tags that do not match, and everything that would be fetched."""

    VOID = ("meta", "br", "hr", "img", "link")

    def __init__(self):
        super().__init__()
        self.open, self.fetched, self.texts = [], [], []

    def handle_starttag(self, tag, attrs):
        self.open += [] if tag in self.VOID else [tag]
        links = [value for name, value in attrs if name in ("src", "href", "xlink:href")]
        self.fetched += [value for value in links if not value.startswith("#")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_data(self, data):
        self.texts.append(data)


def test_html_is_one_page_that_needs_nothing_else(tmp_path):
    invoke("document", SMALL, "--out", tmp_path / "report.html")
    checker = Checker()
    checker.feed((tmp_path / "report.html").read_text())
    assert checker.open == [] and checker.fetched == []
    text = " ".join(checker.texts)
    for words in (*STRESS, "first look", "resuscitation", "leaves: left", "lognormal, mean 6 min, sd 3 min"):
        assert words in text
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_markdown_has_its_drawing_beside_it(tmp_path):
    invoke("document", CLINIC, "--out", tmp_path / "report.md")
    assert "](report_pathway.svg)" in (tmp_path / "report.md").read_text()
    assert "into room" in (tmp_path / "report_pathway.svg").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.md", "report_pathway.svg"]


def test_the_same_scenario_gives_the_same_report(tmp_path):
    for name in ("one.html", "two.html"):
        invoke("document", CLINIC, "--out", tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_alternatives_are_those_picked():
    assert "`pace` is brisk here" in invoke("document", CLINIC, "--with", "pace=brisk").stdout


def test_the_commands_in_it_can_be_typed(monkeypatch):
    """Of a packaged scenario by its name, of another where its file lies."""
    packaged = invoke("document", "hospital_throughput").stdout
    assert "`marl-health show hospital_throughput`" in packaged
    monkeypatch.chdir(Path(CLINIC).parent)
    commands = re.findall(r"`marl-health ([^`]+)`", invoke("document", CLINIC, "--with", "pace=brisk").stdout)
    assert {command.split()[0] for command in commands} == {"document", "replications", "simulate", "compare", "show"}
    for command in commands:
        assert command.split()[1:4] == ["clinic.yaml", "--with", "pace=brisk"]
    invoke(*commands[0].split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "report.pdf"], "report.pdf: a report's name ends in .md or .html"),
        (["--out", "no/report.md"], "there is no folder no"),
        (["--with", "peace=brisk"], "did you mean 'pace'?"),
    ],
)
def test_slips_are_told(arguments, said):
    assert said in invoke("document", CLINIC, *arguments, code=1).stderr


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "marl-health[plot]" in invoke("document", CLINIC, code=1).stderr


def test_where_agents_send_those_who_finish_a_step_is_drawn_and_crews_are_told():
    scenario = marl_health.load("two_ed_diversion")
    links = pathway_of(scenario.sketch).links
    assert links["ambulance_1", "drive_to_2"].look == links["ambulance_2", "drive_to_1"].look == "choice"
    assert links["ambulance_1", "door_1"].look == "way"
    text = invoke("document", "two_ed_diversion").stdout
    assert "from 20:00 for 8 h: 1" in text
    assert "interrupts less urgent work, which resumes before anyone else of its queue is served" in text


def test_sites_made_from_a_template_are_told_in_a_table_and_described_once():
    scenario = marl_health.load(Path(__file__).parent.parent / "worlds" / "two_hospitals.yaml")
    text = "\n".join(str(block) for block in logic(scenario))
    assert "'`north`', '36.16, -115.17', 'hospital', 'trauma 1, beds 40', 'scene, 11.5 min'" in text
    assert "the first is described below: `north` for every hospital" in text and "16:00 × 1.4" in text
    assert "`north_door`" in text and "`south_door`" not in text
    assert "coordinator (2 of them)" in text and "by colour: red: `north_surgery`" in text
    graph = pathway_of(scenario.sketch)
    assert ("ride", "north_door") in graph.links and not any("south" in name for name in graph.nodes)
    assert graph.nodes["walk_away"].note == "to the nearest hospital"
