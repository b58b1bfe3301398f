"""What every algorithm here needs to know of an environment, and the part of its configuration that follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from pettingzoo import ParallelEnv
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.policy.policy import PolicySpec

from marl_health.adapters.rllib import env_maker, register, role_of
from policies.rllib.discount import usual_minutes
from policies.rllib.runner import BatchedEnvRunner
from policies.rllib.sharing import Share, TellsRole, module_for, modules_of, told
from policies.rllib.state import SharesState, state_size

MakeEnv = Callable[[], ParallelEnv[str, Any, Any]]


@dataclass(frozen=True)
class Stage:
    """An environment, registered with Ray, and who acts in it.

    Attributes:
        env: the registered name.
        agents: all agents, in the environment's order.
        actions: by agent, how many it has; 0 where they are not `Discrete`.
        modules: role to module.
        state_size: how many numbers the global state has; 0 where it is not shared.
        minutes: in which a discount by time is that of a decision, where decisions come at events; None elsewhere.
    """

    env: str
    agents: tuple[str, ...]
    actions: dict[str, int]
    modules: dict[str, str]
    state_size: int
    minutes: float | None

    def apply(self, config: AlgorithmConfig, seed: int) -> AlgorithmConfig:
        """The environment, its runners and modules as settings of `config`; `seed` starts everything random."""
        if self.minutes is not None and hasattr(config, "gamma_minutes"):
            config.gamma_minutes = self.minutes
        alone = all(role == module for role, module in self.modules.items())
        return (
            config
            # RLlib's check of the environment answers any error in it with a lecture on old Gym versions.
            .environment(self.env, env_config={"seed": seed}, disable_env_checking=True)
            .debugging(seed=seed, log_level="ERROR")
            .env_runners(env_runner_cls=BatchedEnvRunner, num_env_runners=2, num_envs_per_env_runner=8)
            # Whole episodes of a slow world take longer than the minute after which RLlib would drop them in silence.
            .env_runners(sample_timeout_s=None)
            # A failed environment must stop the run, not be replaced in silence.
            .fault_tolerance(restart_failed_env_runners=False)
            # A dictionary, since the order of a set of names, and with it the draw of the weights, varies by process.
            .multi_agent(
                policies={module: PolicySpec() for module in sorted(set(self.modules.values()))},
                policy_mapping_fn=role_of if alone else partial(module_for, self.modules),
            )
            # The mean return of an iteration is then that of all episodes that ended in it.
            .reporting(metrics_num_episodes_for_smoothing=10_000)
        )


def set_stage(
    scenario: str, make_env: MakeEnv | None, *, share: Share = "role", state: bool = False, label: str = ""
) -> Stage:
    """Look at an environment once and register it.

    Args:
        scenario: a packaged scenario's name or the path of a YAML file; only a label if `make_env` is given.
        make_env: makes one environment, if it is not to be made from the scenario.
        share: which agents share a module.
        state: whether the global state is shared with the learner.
        label: tells the registered name from that of the same scenario shown otherwise.

    Raises:
        ValueError: for an unknown way of sharing.
    """
    make_env = make_env or env_maker(scenario)
    probe = make_env()
    modules = modules_of(probe, share)
    words = told(set(modules.values()))
    agents = tuple(probe.possible_agents)
    actions = {agent: int(getattr(probe.action_space(agent), "n", 0)) for agent in agents}
    size = state_size(probe) if state else 0
    minutes = usual_minutes(probe)
    probe.close()
    if words or state:
        make_env = partial(_dressed, make_env, words, state)
    return Stage(register(scenario + label, make_env), agents, actions, modules, size, minutes)


def _dressed(make_env: MakeEnv, words: dict[str, list[float]], state: bool) -> ParallelEnv[str, Any, Any]:
    env = make_env()
    if words:
        env = TellsRole(env, words)
    return SharesState(env) if state else env
