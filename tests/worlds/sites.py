"""What the tests of sites share: a small region and somebody who travels in it."""

from tests.worlds.build import comes, scenario

SITES = {
    "scene": {"at": [36.094, -115.172]},
    "level_one": {"at": [36.16, -115.17], "trauma": 1, "beds": 541},
    "level_two": {"at": [36.13, -115.14], "trauma": 2, "beds": 690},
    "community": {"at": [36.0, -115.12], "trauma": "none", "beds": 179},
}
BY_AIR = {"distance": "great_circle", "detour": 1.3, "speed": "50 km/h"}
ROADS = {"roads": {"scene": {"bridge": "4 min"}, "bridge": {"level_one": "8 min", "level_two": "5 min"},
                   "level_two": {"level_one": "2 min", "community": "30 min"}}}  # fmt: skip
HOME = {"home": {"leave": "discharged"}}


def region(tmp_path, pathway, *, sites=SITES, travel=BY_AIR, at="scene", times=("01:00",), has=None, **parts):
    """A scenario in which patients come to the scene and go along a pathway, to ``home`` in the end."""
    patient = {"at": at, "arrive": comes(*times), "begins": next(iter(pathway)), **({"has": has} if has else {})}
    entities = {"patient": patient, **parts.pop("entities", {})}
    return scenario(tmp_path, sites=sites, travel=travel, entities=entities, pathway={**pathway, **HOME}, **parts)
