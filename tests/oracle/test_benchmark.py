"""The benchmark runs: the same work for all, figures for each, a verdict."""

import json
import sys

from experiments.benchmarks import kernel


def test_the_three_models_do_the_same_work():
    patients = {name: work(3) for name, work in kernel.kernels().items()}
    assert all(1900 < count < 2400 for count in patients.values()), patients
    steps = {name: work(3) for name, work in kernel.env_loops().items()}
    assert set(steps.values()) == {7 * 96}, steps


def test_a_patient_uses_as_many_resources_as_in_the_flagship():
    ours, flagship = (kernel.uses_of_resources(scenario) for scenario in (kernel.SCENARIO, kernel.FLAGSHIP))
    assert 0.85 < ours[kernel.PATIENTS] / flagship[kernel.PATIENTS] < 1.15, (ours, flagship)


def test_it_reports_speeds_and_ratios_and_whether_the_requirement_is_met(monkeypatch, capsys, tmp_path):
    quick = {kernel.OURS: lambda seed: 1000, kernel.SIMPY: lambda seed: 10, kernel.HEAP: lambda seed: 2000}
    monkeypatch.setattr(kernel, "kernels", lambda: quick)
    monkeypatch.setattr(kernel, "env_loops", lambda: quick)
    ticks = iter(range(10_000))
    monkeypatch.setattr(kernel, "process_time", lambda: next(ticks))
    monkeypatch.setattr(sys, "argv", ["kernel", "--repeats", "3", "--json", str(tmp_path / "out.json")])
    try:
        kernel.main()
    except SystemExit as end:
        assert end.code == 0
    table = capsys.readouterr().out
    assert "100.00 (100.00 to 100.00)" in table and "met with 100.00" in table
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["patients"]["ratios"][kernel.HEAP]["median"] == 200
    assert len(found["env_steps"]["rates"][kernel.OURS]) == 3
    assert found["resource_uses"].keys() == {"hospital_flow", "hospital_throughput"}
    assert "Resource uses per arrival" in table
