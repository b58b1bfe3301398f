"""An environment runner that passes errors on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner


class TellingEnvRunner(MultiAgentEnvRunner):
    """RLlib's own runner, except that an error in an environment reaches whoever asked for samples.

    RLlib's runner logs the error in a file of its process and exits: training ends with "the actor died".
    """

    def apply(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `func` with this runner.

        Raises:
            Exception: whatever `func` raises, without the empty RuntimeError that RLlib wraps around it.
        """
        try:
            return func(self, *args, **kwargs)
        except RuntimeError as error:
            raise error.__cause__ or error from None
