"""What comes of each strategy: jobs, results by workflow, reports and tables. Nothing is learned here."""

import contextlib
from types import SimpleNamespace

import pytest

from experiments.strategies.__main__ import by_strategy, markdown, table_of
from experiments.strategies.found import ALL, Found, means_of, others_of
from marl_health.spec.document import load_document
from orchestration.commands.experiments import print_outcomes
from orchestration.experiment.running import finished_outcomes, run_experiment
from orchestration.store import open_store
from orchestration.strategies import STRATEGIES
from orchestration.strategies.ensemble import save_parts
from tests.orchestration.strategies.worlds import FILES, STEPS

TEXT = f"""\
schema: marl_health/experiment/v1
name: both
description: Both.
scenarios: [{", ".join(map(str, FILES.values()))}]
strategy: independent
algorithm: {{name: ppo}}
seeds: [4, 9]
budget: {{steps: 100}}
evaluation: {{replications: 2, policies: [wait, random], final: {{replications: 3}}}}
"""


@pytest.fixture
def unlearned(monkeypatch, tmp_path):
    """Experiments whose policies are kept as they begin; by folder, what each began with."""
    from marl_health.adapters.rllib import masked_space, role_of
    from orchestration.experiment import training
    from policies.rllib.checkpoint import save_checkpoint
    from policies.rllib.ppo.module import MaskedPPOModule

    begun = {}

    def train_seed(setup, seed, folder, job, console, begins):
        begun[folder] = begins
        env, modules = setup.make_env(), {}
        for agent in env.possible_agents:
            seen, can = env.observation_space(agent), env.action_space(agent)
            spaces = {"observation_space": masked_space(seen, can), "action_space": can}
            modules[role_of(agent)] = MaskedPPOModule(**spaces, inference_only=True, model_config={"hidden": (4,)})
        save = save_checkpoint if setup.lot.ensemble is None else save_parts
        save(folder / "checkpoint", modules, training._facts(setup, seed))
        following = training._following(setup, folder, job, console)
        judged = {metric: [1.5, 1.0, 2.0, 2] for metric in metrics(setup)}
        following._evaluated(100, {"stage": 0, "values": judged, "to": None})
        following.close()
        return {"env_steps": 100, "ended": "nothing was learned", "curve": "progress.csv"}

    monkeypatch.setattr(training, "train_seed", train_seed)
    monkeypatch.setattr(training, "make_config", lambda *_: SimpleNamespace(num_env_runners=0))
    monkeypatch.setattr("orchestration.experiment.running.local_ray", lambda *_: contextlib.nullcontext())
    (tmp_path / "both.yaml").write_text(TEXT)
    return SimpleNamespace(begun=begun, experiments=by_strategy(load_document(tmp_path / "both.yaml")))


def metrics(setup):
    """What evaluations during training find."""
    own = {"clinic": ["wait_mean", "in_time"], "walk_in": ["spent"]}
    if setup.lot.ensemble is None:
        return ["return", *own[setup.lot.name]]
    return ["return", *(f"{name}.{kpi}" for name in own for kpi in ("return", *own[name]))]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_results_are_stored_workflow_by_workflow(strategy, unlearned, tmp_path, capsys):
    experiment, out = unlearned.experiments[strategy], tmp_path / "runs"
    together = strategy in ("hierarchical", "coordinated")
    with open_store(tmp_path / "results.db") as store:
        outcomes = run_experiment(experiment, store, out)
        assert [(each.seed, each.workflow) for each in outcomes] == (
            [(4, ""), (9, "")] if together else [(seed, name) for seed in (4, 9) for name in STEPS]
        )
        jobs = list(store.jobs(experiment="both"))
        assert len(jobs) == len(outcomes) and {job["status"] for job in jobs} == {"finished"}
        assert {job["algorithm"] for job in jobs} == {f"{strategy} ppo"}
        for outcome in outcomes:
            met = {row["scenario"]: row["id"] for row in store.environments(outcome.job)}
            assert list(outcome.reports) == list(met) == (list(STEPS) if together else [outcome.workflow])
            assert all(report.is_file() for report in outcome.reports.values())
            for name, where in met.items():
                rows = [row for row in store.kpis(outcome.job) if row["environment_id"] == where]
                during = {row["metric"]: row["unit"] for row in rows if row["evaluation"] == "training"}
                assert during == (
                    {"return": "", "wait_mean": "min", "in_time": ""}
                    if name == "clinic"
                    else {"return": "", "spent": "usd"}
                )
                final = {(row["policy"], row["reference"]) for row in rows if row["evaluation"] == "final"}
                own = f"{strategy} ppo"
                assert final == {(own, ""), *((other, ref) for other in ("wait", "random") for ref in ("", own))}
        order = {outcome.folder: outcome.checkpoint for outcome in outcomes}
        begins = [unlearned.begun[folder] for folder in order]
        expected = (
            [None, outcomes[0].checkpoint, None, outcomes[2].checkpoint] if strategy == "sequential" else [None] * 4
        )
        assert begins == expected[: len(outcomes)], "who comes later begins as the one before has ended"

        again = run_experiment(experiment, store, out)
        assert [each.before for each in again] == [True] * len(outcomes) and len(list(store.jobs())) == len(outcomes)
        assert finished_outcomes(store, experiment) == again
        print_outcomes(store, experiment, again)
        shown = capsys.readouterr().out
        assert "both: clinic, held-out seeds 1000000 to 1000002" in shown and "both: walk_in, held-out" in shown
        assert shown.count("(finished before)") == 4


def test_the_table_compares_means_of_the_same_patients(unlearned, tmp_path):
    means = {}
    with open_store(tmp_path / "results.db") as store:
        for strategy in ("independent", "coordinated"):
            experiment = unlearned.experiments[strategy]
            outcomes = run_experiment(experiment, store, tmp_path / "runs")
            means[strategy] = means_of(store, experiment, outcomes)
            others = others_of(store, experiment, outcomes)
            finals = store.kpis(metric="return", evaluation="final", policy=f"{strategy} ppo", by_seed=True)
            by_job = {}
            for row in finals:
                by_job.setdefault((row["job_id"], row["environment_id"]), []).append(row["value"])
            assert sorted(sum(values) / 3 for values in by_job.values()) == pytest.approx(
                sorted([*means[strategy]["clinic"], *means[strategy]["walk_in"]])
            )
    for returns in means.values():
        assert returns[ALL] == pytest.approx(
            [a + b for a, b in zip(returns["clinic"], returns["walk_in"], strict=True)]
        )
    assert others[ALL]["wait"] == pytest.approx(others["clinic"]["wait"] + others["walk_in"]["wait"])
    found = Found(means, others)
    rows = table_of(found)
    assert [row[0] for row in rows] == ["", "wait", "random", "independent", "coordinated", "coordinated - independent"]
    text = markdown("both", unlearned.experiments, found)
    assert all(each.hash in text for each in unlearned.experiments.values()) and found.verdict in text


def test_the_verdict_names_what_is_clear_over_all_pairs():
    def of(**returns):
        return Found({name: {ALL: values} for name, values in returns.items()}, {})

    near = of(independent=[1.0, 2.0, 3.0], sequential=[1.5, 1.8, 3.1], coordinated=[0.9, 2.3, 2.8])
    assert near.verdict.startswith("No two strategies can be told apart")
    far = of(independent=[1.0, 2.0, 3.0], sequential=[11.0, 12.1, 13.2], coordinated=[1.1, 2.2, 2.7])
    assert "sequential is better than independent by 10.1" in far.verdict
    assert "sequential is better than coordinated by 10.1" in far.verdict
    assert "coordinated is" not in far.verdict and "No other pair" in far.verdict
    one = far.difference("independent", "sequential", ALL)
    alone = Found({name: far.means[name] for name in ("independent", "sequential")}, {}).difference(
        "independent", "sequential", ALL
    )
    assert one.high - one.low > alone.high - alone.low, "three pairs need wider intervals than one"
