"""Sampling, replay and updates of the algorithms that learn from joint transitions."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Self

import numpy as np
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig, NotProvided
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.execution.rollout_ops import synchronous_parallel_sample
from ray.rllib.utils.metrics import (
    ENV_RUNNER_RESULTS,
    ENV_RUNNER_SAMPLING_TIMER,
    LEARNER_RESULTS,
    LEARNER_UPDATE_TIMER,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    SYNCH_WORKER_WEIGHTS_TIMER,
    TIMERS,
)
from typing_extensions import override

from policies.rllib.discount import check_minutes
from policies.rllib.joint.decisions import decisions
from policies.rllib.joint.mixer import Team, team_spec
from policies.rllib.joint.replay import TEAM, JointReplay
from policies.rllib.joint.rows import rows_of
from policies.rllib.pairing import leads, share_patients
from policies.rllib.scale import ReturnScale
from policies.rllib.sharing import Share
from policies.rllib.stage import MakeEnv, set_stage

HIDDEN = (128, 128)
"""Widths of the layers of all networks."""

REPLAY, SCALE = "replay", "reward_scale"
"""Parts of the algorithm's state that RLlib does not know of."""


class JointConfig(AlgorithmConfig):
    """Settings of all algorithms that learn from joint transitions.

    Attributes:
        agents: all agents, in the environment's order.
        state_size: how many numbers the global state has; 0 where it is not shared.
        joint_actions: how many actions all agents have, added up.
        capacity: rows that the buffer keeps, about one per step.
        learning_starts: transitions in the buffer before the first update.
        updates: after every round of sampling, each on a batch of `train_batch_size_per_learner` transitions.
        n_step: steps whose rewards count as they were, before the rest is estimated. More than one, since where a part
            of the world is hidden, nothing that is seen in between tells what a decision will bring.
        target_update: rounds between two copies of the networks to their targets.
        gamma_minutes: minutes in which the discount is `gamma`; None where it is that of a step, the default unless
            decisions come at events (see `policies.rllib.discount.usual_minutes`).
        same_patients: so many sub-environments in a row meet the same patients, and what counts is what each gains
            above the others (see `policies.rllib.pairing`); 1 for patients of its own each.
    """

    mixer: type[Team] = Team
    """What the learner makes of the agents' values."""
    needs_state = False
    """Whether the mixer reads the global state."""
    pays_the_team = False
    """Whether all agents must be paid alike."""
    own_decisions = False
    """Whether every agent learns from decision to decision of its own, as if it were alone."""

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class or Joint)
        self.agents: tuple[str, ...] = ()
        self.state_size = 0
        self.joint_actions = 0
        self.capacity = 50_000
        self.learning_starts = 1_000
        self.updates = 8
        self.n_step = 3
        self.target_update = 25
        self.gamma_minutes: float | None = None
        self.same_patients = 1
        self.lr = 5e-4
        self.gamma = 0.97
        self.grad_clip = 10.0
        self.grad_clip_by = "global_norm"
        self.train_batch_size_per_learner = 128
        self.rollout_fragment_length = 16
        self.min_sample_timesteps_per_iteration = 2_000
        self.min_time_s_per_iteration = None

    @override
    def training(
        self,
        *,
        capacity: Any = NotProvided,
        learning_starts: Any = NotProvided,
        updates: Any = NotProvided,
        n_step: Any = NotProvided,
        target_update: Any = NotProvided,
        gamma_minutes: Any = NotProvided,
        same_patients: Any = NotProvided,
        **settings: Any,
    ) -> Self:
        """Sets how to learn; other names than those of the class are RLlib's."""
        super().training(**settings)
        own = {
            "capacity": capacity,
            "learning_starts": learning_starts,
            "updates": updates,
            "n_step": n_step,
            "target_update": target_update,
            "gamma_minutes": gamma_minutes,
            "same_patients": same_patients,
        }
        for name, value in own.items():
            if value is not NotProvided:
                setattr(self, name, value)
        return self

    @override
    def validate(self) -> None:
        """Find what cannot work before anything starts.

        Raises:
            ValueError: more than one learner; a number below 1; no time to discount by; nobody to learn; a module with
                the team's name.
        """
        super().validate()
        name = self.algo_class.__name__
        if self.num_learners > 1:
            raise ValueError(f"{name}: num_learners is 0 or 1; a joint batch is not split among learners")
        for setting in ("n_step", "updates", "target_update", "capacity"):
            if getattr(self, setting) < 1:
                raise ValueError(f"{name}: {setting} is at least 1, not {getattr(self, setting)}")
        check_minutes(name, self.gamma_minutes)
        if not self.agents:
            raise ValueError(f"{name}: set config.agents to the environment's agents, or take {name.lower()}_config")
        if TEAM in self.policies:
            raise ValueError(f"{name}: a role cannot be called '{TEAM}', which is the name of the mixer")
        share_patients(self, self.same_patients)

    @override
    def get_multi_rl_module_spec(self, *, inference_only: bool = False, **kwargs: Any) -> MultiRLModuleSpec:
        """RLlib's specification of the agents' modules, and the team's beside them where there is a learner."""
        spec: MultiRLModuleSpec = super().get_multi_rl_module_spec(inference_only=inference_only, **kwargs)
        if not inference_only:
            options = {"agents": len(self.agents), "state_size": self.state_size}
            spec.add_modules({TEAM: team_spec(self.mixer, **options)})
        return spec

    @property
    def seats(self) -> dict[str, tuple[str, ...]]:
        """By module its agents, in the environment's order."""
        found: dict[str, list[str]] = defaultdict(list)
        for agent in self.agents:
            found[self.policy_mapping_fn(agent, None)].append(agent)
        return {module: tuple(found[module]) for module in sorted(found)}


class Joint(Algorithm):
    """Samples, keeps joint transitions, draws batches of them, and learns.

    Rewards are divided by the running standard deviation of the discounted return, as for PPO. The buffer, its draws
    and that scale are part of a checkpoint.
    """

    @override
    def setup(self, config: Any) -> None:
        """Called by RLlib before the first iteration."""
        super().setup(config)
        self.replay = JointReplay(self.config.capacity, self.config.seed, own=self.config.own_decisions)
        self.scale = ReturnScale()

    @override
    def training_step(self) -> None:
        """One round: sample a little, update some, hand out the weights."""
        config, log_time = self.config, self.metrics.log_time
        with log_time((TIMERS, ENV_RUNNER_SAMPLING_TIMER)):
            episodes, sampled = synchronous_parallel_sample(
                worker_set=self.env_runner_group,
                concat=True,
                sample_timeout_s=config.sample_timeout_s,
                _uses_new_env_runners=True,
                _return_metrics=True,
            )
        self.metrics.aggregate(sampled, key=ENV_RUNNER_RESULTS)
        self._keep(episodes)
        if len(self.replay) < config.learning_starts:
            return
        steps = self.metrics.peek((ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME), default=0)
        with log_time((TIMERS, LEARNER_UPDATE_TIMER)):
            # One call for all updates of the round: RLlib's book-keeping of a call costs more than an update.
            size = config.train_batch_size_per_learner
            learned = self.learner_group.update(
                batch=self.replay.sample(config.updates * size, steps=config.n_step, scale=self.scale.value),
                minibatch_size=size,
                timesteps={NUM_ENV_STEPS_SAMPLED_LIFETIME: steps},
            )
            self.metrics.aggregate(learned, key=LEARNER_RESULTS)
        with log_time((TIMERS, SYNCH_WORKER_WEIGHTS_TIMER)):
            self.env_runner_group.sync_weights(
                from_worker_or_learner_group=self.learner_group, policies=list(config.seats), inference_only=True
            )

    def _keep(self, episodes: list[Any]) -> None:
        """Put what was sampled into the buffer."""
        team = type(self).__name__ if self.config.pays_the_team else None
        config, seats = self.config, self.config.seats
        chunks = [(episode, agent, own) for episode in episodes for agent, own in episode.agent_episodes.items()]
        if config.same_patients > 1:
            earned = leads(own for _, _, own in chunks)
        else:
            earned = [np.asarray(own.get_rewards(slice(0, len(own))), np.float64) for _, _, own in chunks]
        gains: dict[int, dict[str, Any]] = defaultdict(dict)
        for (episode, agent, _), rewards in zip(chunks, earned, strict=True):
            gains[id(episode)][agent] = rewards
        for episode in episodes:
            own_gains = gains[id(episode)]
            rows = rows_of(episode, seats, team=team, gains=own_gains, gamma=config.gamma, minutes=config.gamma_minutes)
            self.replay.add(decisions(rows))
            for rewards in own_gains.values():
                self.scale.update(rewards, rows.discount[: len(rewards)])

    @override
    def get_state(self, components: Any = None, *, not_components: Any = None, **kwargs: Any) -> dict[str, Any]:
        """RLlib's state of the algorithm, with the buffer."""
        state: dict[str, Any] = super().get_state(components, not_components=not_components, **kwargs)
        for name, part in ((REPLAY, self.replay), (SCALE, self.scale)):
            if self._check_component(name, components, not_components):
                state[name] = part.get_state()  # type: ignore[attr-defined]
        return state

    @override
    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from `get_state`."""
        super().set_state(state)
        if REPLAY in state:
            self.replay.set_state(state[REPLAY])
        if SCALE in state:
            self.scale.set_state(state[SCALE])


def joint_config(
    config: JointConfig,
    scenario: str,
    *,
    seed: int,
    make_env: MakeEnv | None,
    share: Share,
) -> JointConfig:
    """The complete configuration of an algorithm on an environment.

    Args:
        config: the algorithm's own settings.
        scenario: a packaged scenario's name or the path of a YAML file; only a label if `make_env` is given.
        seed: starts the weights, the exploration, the episodes and the draws from the buffer.
        make_env: makes one PettingZoo parallel environment, if it is not to be made from the scenario.
        share: which agents share a module: those of a `role`, or all of equal `shape`.
    """
    label = f"/{'state' if config.needs_state else 'plain'}/{share}"
    stage = set_stage(scenario, make_env, share=share, state=config.needs_state, label=label)
    stage.apply(config, seed)
    config.agents = stage.agents
    config.state_size = stage.state_size
    config.joint_actions = sum(stage.actions.values())
    config.rl_module(model_config={"hidden": HIDDEN})
    return config
