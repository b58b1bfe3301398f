"""Stock that ages: what expires, which units are handed out first, how old they are when they come."""

import pytest

from tests.worlds.build import game_of, play
from tests.worlds.stocks import bank, served, shelf

REST = {"rest": {"wait": "2 days", "next": "home"}}


def ages_given(game):
    """Hours that the units were old which those inside were given."""
    slot = game.program.slots_of_values["age"]
    return [entity.values[slot] / 60 for entity in game.running.entities.values()]


AGEING = {"start": 0, "lead": "1 h", "shelf_life": "6 h", "costs": {"unit": "10 usd", "waste": "3 usd"}}


def test_what_expires_is_wasted_and_costs(tmp_path):
    loaded = bank(tmp_path, AGEING, times=("05:00",), can=[{"order": "unit", "levels": [4]}])
    game = play(loaded, moves=[(1, "bank_0", "order unit 4")])
    assert shelf(game).balance()["wasted"] == 3 and served(game) == {1: 300}
    assert game.running.spent.value == 4 * 10 + 3 * 3


@pytest.mark.parametrize(("issue", "ages"), [("oldest", [3, 4, 5, 5]), ("newest", [1, 2, 3, 7])])
def test_the_oldest_or_the_newest_are_handed_out_first(tmp_path, issue, ages):
    loaded = bank(
        tmp_path,
        {**AGEING, "shelf_life": "1 day", "issue": issue},
        times=("05:00", "06:00", "07:00", "09:00"),
        take={"age": "age", "next": "rest"},
        pathway=REST,
        has={"age": "0 min"},
        can=[
            {"order": "unit", "levels": [3]},
            {"set": "unit.issue", "to": [issue, {"oldest": "newest", "newest": "oldest"}[issue]]},
        ],
    )
    game = play(loaded, moves=[(1, "bank_0", "order unit 3"), (3, "bank_0", "order unit 3")])
    assert ages_given(game) == ages, "those of 02:00 and those of 04:00"


def test_an_agent_switches_the_order_and_a_step_may_have_its_own(tmp_path):
    stock = {**AGEING, "shelf_life": "1 day"}
    can = [{"order": "unit", "levels": [3]}, {"set": "unit.issue", "to": ["oldest", "newest"]}]
    orders = [(1, "bank_0", "order unit 3"), (3, "bank_0", "order unit 3")]
    for take, moves, age in (
        ({}, [], 3),
        ({}, [(4, "bank_0", "set unit.issue newest")], 1),
        ({"issue": "newest"}, [], 1),
    ):
        loaded = bank(
            tmp_path,
            stock,
            times=("05:00",),
            take={"age": "age", "next": "rest", **take},
            has={"age": "0 min"},
            can=can,
            pathway=REST,
        )
        game = play(loaded, moves=sorted(orders + moves))
        assert ages_given(game) == [age]


def test_units_may_be_of_age_when_they_come_and_are_of_all_ages_at_the_start(tmp_path):
    stock = {"start": 600, "lead": "1 h", "age": "4 h", "shelf_life": "6 h"}
    loaded = bank(
        tmp_path,
        stock,
        can=[{"order": "unit", "levels": [500]}],
        sees=[{"see": "unit.on_hand", "within": ["2 h", "1 h"]}],
    )
    game = game_of(loaded)
    within = game.look("bank_0")[:2]
    assert within == pytest.approx([200, 100], abs=45), "uniform over their life: 200 and 100 of 600 within 2 h and 1 h"
    assert game.act("bank_0", 1)
    while game.now < 4 * 60:
        game.advance()
    assert shelf(game).expiring(game.running.now, 1e9) == shelf(game).free
    wasted = shelf(game).wasted
    assert wasted == pytest.approx(500 + 400, abs=45), "what came at 01:00 had 2 h left"
