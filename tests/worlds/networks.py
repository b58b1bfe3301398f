"""A small network of sites made from a template, for tests."""

from pathlib import Path

import pytest

from marl_health.spec.errors import ScenarioError
from tests.worlds.build import comes, scenario

TWO = Path(__file__).parent / "two_hospitals.yaml"
ROADS = {"roads": {"scene": {"near": "10 min", "far": "30 min"}}}
HOME = {"home": {"leave": "discharged"}}
HOSPITAL = {
    "takes": {"beds": "number", "trauma": [1, 2, "none"]},
    "staff": {"team": {"count": {"by": "trauma", 1: 3, "else": 1}}},
    "places": {"bed": {"count": "beds"}},
    "queues": {"line": {}},
    "pathway": {
        "door": {"move_to": "bed", "with": "team", "queue": "line", "for": "20 min", "mark": "seen", "next": "home"},
    },
}
SITES = {
    "scene": {},
    "near": {"like": "hospital", "beds": 2, "trauma": "none"},
    "far": {"like": "hospital", "beds": 5, "trauma": 1},
}


def network(tmp_path, *, hospital=None, sites=SITES, target="near", times=("01:00",) * 4, pathway=None, **parts):
    """Patients from the scene who travel to a hospital and enter by its door."""
    pathway = pathway or {"go": {"travel": {"to": target}, "next": "hospital.door"}}
    patient = {"at": "scene", "arrive": comes(*times), "begins": next(iter(pathway)), **parts.pop("patient", {})}
    return scenario(
        tmp_path,
        sites=sites,
        travel=parts.pop("travel", ROADS),
        templates={"hospital": {**HOSPITAL, **(hospital or {})}},
        entities={"patient": patient, **parts.pop("entities", {})},
        pathway={**pathway, **HOME},
        **parts,
    )


def problems(tmp_path, **parts):
    with pytest.raises(ScenarioError) as told:
        network(tmp_path, **parts)
    return str(told.value)
