"""A small bank of units for tests of stock."""

from tests.worlds.build import scenario, starts

HOME = {"home": {"leave": "discharged"}}
PLATELETS = {"start": 2, "lead": "5 h"}


def bank(tmp_path, stock, *, times=("01:00", "02:00", "03:00"), take=None, has=None, can=(), sees=("hour",), **parts):
    """Patients who come on Monday and each take a unit; an agent who decides every hour."""
    each = [{"at": time, "on": "Monday"} for time in times]
    agents = {"bank": {"sees": list(sees), "can": list(can)}} if can else {}
    return scenario(
        tmp_path,
        stock={"unit": stock},
        entities={"patient": {"arrive": {"timetable": each}, "has": has or {}, "begins": "want"}},
        pathway={"want": {"take": "unit", "next": "home", **(take or {})}, **HOME, **parts.pop("pathway", {})},
        agents=agents,
        **parts,
    )


def shelf(game):
    return game.running.pools[game.program.pool_index["unit"]]


def served(game):
    """{entity: minute at which it got what it wanted}"""
    return {entity: times[0] for entity, times in starts(game, "want").items()}
