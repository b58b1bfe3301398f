"""What must be better or worse by theory, on the same patients, whatever the numbers."""

import itertools

import pytest

import marl_health

TEXT = """
schema: marl_health/v1
name: orderings
version: 1
description: Two kinds of callers, served apart or together.
tags: [queueing]
split: train
clock: {warm_up: 50 h, episode: 1500 h, decide_every: 1500 h}
staff: {STAFF}
entities:
  left: {arrive: {rate: {per_hour: 2.6}}, has: {acuity: {choice: {1: 20%, 2: 80%}}}, begins: LEFT}
  right: {arrive: {rate: {per_hour: 1.4}}, has: {acuity: {choice: {1: 50%, 2: 50%}}}, begins: RIGHT}
pathway: {PATHWAY, out: {leave: done}}
queues: {QUEUES}
measures: {wait: {from: arrival, to: served}}
kpis: {wait: {of: wait.mean}, served: {of: wait.count}}
"""
TIME = "{gamma: {mean: 20 min, sd: 15 min}}"


def waits(tmp_path, *, staff, pathway, begins, queues="", seeds=4):
    text = TEXT.replace("STAFF", staff).replace("PATHWAY", pathway).replace("QUEUES", queues)
    file = tmp_path / "orderings.yaml"
    file.write_text(text.replace("LEFT", begins[0]).replace("RIGHT", begins[1]))
    loaded = marl_health.load(file)
    game = loaded.kind.make_game(loaded.program)
    found = []
    for seed in range(seeds):
        game.reset(seed, events=False)
        while not game.finished:
            game.advance()
        found.append(game.kpis()["wait"])
    return found


def together(tmp_path, servers, order="arrival", time=TIME):
    return waits(
        tmp_path,
        staff=f"server: {{count: {servers}}}",
        pathway=f"serve: {{use: server, queue: line, for: {time}, mark: served, next: out}}",
        begins=("serve", "serve"),
        queues=f"line: {{classes: acuity, order: {order}}}",
    )


def test_pooling_two_queues_never_lengthens_the_mean_wait(tmp_path):
    apart = waits(
        tmp_path,
        staff="one: {count: 1}, two: {count: 1}",
        pathway=f"serve_1: {{use: one, for: {TIME}, mark: served, next: out}}, "
        f"serve_2: {{use: two, for: {TIME}, mark: served, next: out}}",
        begins=("serve_1", "serve_2"),
    )
    assert all(pooled < single for pooled, single in zip(together(tmp_path, 2), apart, strict=True))


def test_one_more_server_never_lengthens_the_wait_of_a_fifo_queue(tmp_path):
    found = [together(tmp_path, servers) for servers in (2, 3, 4, 6)]
    for fewer, more in itertools.pairwise(found):
        assert all(b < a for a, b in zip(fewer, more, strict=True))


@pytest.mark.parametrize("order", ["class", "{first: [2]}", "{ageing: {1: 9, 2: 1}}"])
def test_an_order_that_knows_nothing_of_service_times_keeps_the_mean_wait(tmp_path, order):
    """Exact where service is constant: whoever is served, the server is free again at the same moment."""
    plain, other = together(tmp_path, 2, time="26 min"), together(tmp_path, 2, order, time="26 min")
    assert other == pytest.approx(plain, rel=0.02)
