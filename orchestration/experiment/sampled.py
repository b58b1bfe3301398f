"""What came of the episodes that were played to learn from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ray.rllib.callbacks.callbacks import RLlibCallback
from typing_extensions import override

from marl_health.envs.joined import world_of

TERM = "reward_"
"""Before a component's name in `info`."""

SAMPLED = "sampled"
"""In a result: the episodes that ended in the iteration."""


class TellEpisodes(RLlibCallback):
    """Takes down what came of every episode of an env runner, until somebody takes it away.

    Of an environment of ours that is the return, its components, where everybody is who ever came, and the KPIs; of any
    other, the return. Where worlds are joined, each of them has an episode.
    """

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    @override
    def on_episode_end(
        self, *, episode: Any, prev_episode_chunks: Sequence[Any] = (), env: Any, env_index: int, **_: Any
    ) -> None:
        shown = env.envs[env_index].unwrapped
        chunks, joined = [*prev_episode_chunks, episode], getattr(shown.env, "worlds", None)
        worlds = {"": shown.env} if joined is None else joined
        for name, world in worlds.items():
            gained, terms, length = _paid(chunks, None if joined is None else name)
            self.told.append(
                {
                    "workflow": name,
                    "seed": shown.episode_seed if joined is None else None,
                    "stage": getattr(world, "stage", 0),
                    # Agents of joined worlds may be paid by other weights; what is told is the world's own score.
                    "gained": gained if joined is None else sum(terms.values()),
                    "length": length,
                    "terms": terms,
                    "conservation": _asked(world, "conservation"),
                    "kpis": _asked(world, "kpis"),
                }
            )


def take_episodes(runner: Any) -> list[dict[str, Any]]:
    """What a runner has taken down since it was asked last."""
    found: list[dict[str, Any]] = []
    for callback in runner._callbacks:
        if isinstance(callback, TellEpisodes):
            found += callback.told
            callback.told = []
    return found


def _paid(chunks: Iterable[Any], workflow: str | None) -> tuple[float, dict[str, float], int]:
    """An episode's return, its components, both as a mean over agents, and how many steps it had.

    Args:
        chunks: of the episode.
        workflow: whose agents are meant; None for all.
    """
    gained, terms, agents = 0.0, {}, defaultdict(int)
    for chunk in chunks:
        steps = chunk.env_t - chunk.env_t_started  # a learner in the same process may have appended a step
        for agent, own in chunk.agent_episodes.items():
            if workflow is not None and world_of(agent) != workflow:
                continue
            n = min(steps, len(own))
            agents[agent] += n
            gained += float(sum(own.get_rewards(slice(0, n))))
            for info in own.get_infos(slice(1, n + 1)):
                for key, value in info.items():
                    if key.startswith(TERM):
                        terms[key] = terms.get(key, 0.0) + value
    n = len(agents)
    return gained / n, {key.removeprefix(TERM): value / n for key, value in terms.items()}, max(agents.values())


def _asked(world: Any, what: str) -> Mapping[str, float]:
    """What an environment answers; nothing if it knows no answer."""
    return dict(getattr(world, what, dict)())
