"""What is wrong with sites and templates is told at its line, once, with its remedy."""

import json
import random
from pathlib import Path

import pytest

import marl_health
from marl_health.spec.errors import ScenarioError
from tests.worlds.build import comes, scenario
from tests.worlds.networks import HOME, HOSPITAL, SITES, TWO, problems


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (
            {"sites": {**SITES, "far": {"like": "hospitel"}}},
            "there is no template named 'hospitel'; did you mean 'hospital'?",
        ),
        (
            {"sites": {**SITES, "far": {"like": "hospital", "beds": 3}}},
            "the template 'hospital' takes trauma; say what it is here",
        ),
        (
            {"sites": {**SITES, "far": {"like": "hospital", "beds": 3, "trauma": 7}}},
            "sites.far.trauma: it is one of 1, 2, none",
        ),
        (
            {"sites": {**SITES, "far": {"like": "hospital", "beds": "many", "trauma": 1}}},
            "sites.far.beds: a number is needed here",
        ),
        (
            {"sites": {**SITES, "far": {"like": "hospital", "beds": 3, "trauma": 1, "bads": 2}}},
            "takes no 'bads'; did you mean 'beds'?",
        ),
        (
            {"pathway": {"go": {"travel": {"to": "near"}, "next": "hospital.dor"}}},
            "the template 'hospital' has no step 'dor'; did you mean 'door'?",
        ),
        (
            {"pathway": {"go": {"travel": {"to": "near"}, "next": "hospitl.door"}}},
            "there is no template or site named 'hospitl'",
        ),
        (
            {"pathway": {"go": {"next": "hospital.door"}}},
            "somebody may be at scene here, where this way has no step; let them travel first",
        ),
        (
            {
                "pathway": {
                    "go": {"use": "hospital.team", "for": "3 min", "next": "home"},
                    "d": {"next": "hospital.door"},
                }
            },
            "nobody ever comes here",
        ),
        (
            {"slots": {"s": {"waiting": "hospital.line", "top": 2}}},
            "'hospital.line' is one at each site; write that of one, such as near.line",
        ),
        (
            {"hospital": {"staff": {"team": {"count": {"by": "trauma", 1: 3}}}}},
            "near: no case for trauma = none; add one, or else",
        ),
        (
            {"hospital": {"takes": {"beds": "number", "trauma": [1, 2, "none"], "team": "number"}}},
            "'team' stands for something else here",
        ),
        ({"hospital": {"wards": {}}}, "unknown word 'wards'"),
        ({"places": {"near_bed": {"count": 3}}}, "near: 'near_bed' is there already; choose another name"),
        ({"agents": {"a": {"each": "clinic", "sees": ["hour"], "can": []}}}, "there is no template named 'clinic'"),
        (
            {"agents": {"a": {"sees": ["hour"], "can": [{"set": "hospital.bed.extra", "levels": [0, 1]}]}}},
            "write each: hospital beside it",
        ),
        ({"kpis": {"k": {"of": "hospital.bed.occupncy"}}}, "'hospital.bed.occupncy' is no measure of this scenario"),
        (
            {"kpis": {"k": {"of": "hospital.bad.occupancy"}}},
            "the template 'hospital' has no thing 'bad'; did you mean 'bed'?",
        ),
    ],
)
def test_what_is_wrong_with_templates_is_told(tmp_path, parts, told):
    assert told in problems(tmp_path, **parts)


def test_a_problem_in_a_template_is_told_once_at_its_line_and_names_the_site(tmp_path):
    door = {**HOSPITAL["pathway"]["door"], "for": "20 bananas"}
    told = problems(tmp_path, hospital={"pathway": {"door": door}})
    (line,) = told.splitlines()
    written = Path(line.split(":")[0]).read_text().splitlines()[int(line.split(":")[1]) - 1]
    assert "20 bananas" in written
    assert "pathway.near_door.for" in line and line.endswith("(and so at 1 other site)")


def test_each_needs_a_template(tmp_path):
    agent = {"each": "hospital", "sees": ["hour"], "can": [{"set": "bed.extra", "levels": [0, 1]}]}
    patient = {"arrive": comes("01:00"), "begins": "in"}
    with pytest.raises(ScenarioError, match="there are no templates, for each of whose sites this could stand"):
        scenario(tmp_path, entities={"patient": patient}, places={"bed": {"count": 1}}, agents={"desk": agent},
                 pathway={"in": {"move_to": "bed", "for": "1 h", "next": "home"}, **HOME})  # fmt: skip


def test_junk_anywhere_in_the_example_is_told_and_never_trips(tmp_path):
    said = json.loads(json.dumps(marl_health.load(TWO).data))
    generator = random.Random(5)
    roots = ("sites", "templates", "agents", "pathway")
    spots = [where for where in _spots(said) if len(where) > 1 and where[0] in roots]
    junk = [5, [], {}, "hospital", "hospital.bay", "here", ".", {"by": "trauma"}, {"each": "hospital"}]
    outcomes = set()
    for number in range(30):
        broken = json.loads(json.dumps(said))
        *way, last = generator.choice(spots)
        part = broken
        for step in way:
            part = part[step]
        part[last] = generator.choice(junk)
        file = tmp_path / f"broken_{number}.yaml"
        file.write_text(json.dumps(broken))
        try:
            outcomes.add(marl_health.load(file).name)
        except ScenarioError as error:
            outcomes.add(bool(str(error)))
    assert outcomes <= {True, "two_hospitals"} and True in outcomes


def _spots(value, where=()):
    yield where
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from _spots(part, (*where, key))
