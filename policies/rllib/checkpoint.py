"""Trained modules on disk: one folder per role, and a policy that acts with them without a Ray runtime.

    checkpoint/
      checkpoint.json       what was trained, on what, by which command; the digest of every other file
      modules/<role>/       the role's RLModule, as `RLModule.save_to_path` writes it (inference part only)

The manifest is written last and the folder put in place by a rename, so a folder with a manifest is whole.
RLlib stores a module's class as a pickle: load only checkpoints that you trust.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete, Space

from marl_health.adapters.rllib import masked_space, role_of, with_mask
from policies.base import PolicyError
from policies.rllib.sharing import roles_in, told, with_word

MANIFEST = "checkpoint.json"
FORMAT = 1

MOST_WORDS = 5
"""So many words of an environment that does not fit are told."""


class CheckpointError(PolicyError):
    """A checkpoint that is missing, damaged, or made for other roles or spaces."""


def save_checkpoint(path: Path, modules: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Write one module per role and what is known about them, replacing what is at `path`.

    Args:
        path: the folder to make.
        modules: role to RLModule, best an inference-only one.
        facts: JSON-ready values for the manifest. `algorithm` names the policy, `init` what it was cloned from before
            it learned, `told` says, by role, what is appended to its observations because it shares its module, and
            `words` what its numbers mean (see `words_of`).
    """
    draft = path.with_name(f".{path.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    for role, module in modules.items():
        module.save_to_path(draft.resolve() / "modules" / role)
    manifest = {
        "format": FORMAT,
        **facts,
        "spaces": {role: _shapes(m.observation_space, m.action_space) for role, m in modules.items()},
        "files": _digests(draft),
    }
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    old = path.with_name(f".{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    draft.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def learned_by(algorithm: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an RLlib algorithm has learned so far, for :func:`save_checkpoint`: modules by role, and facts of them."""
    names = sorted(algorithm.config.policies)
    words = told(names)
    modules = {role: algorithm.get_module(name) for name in names for role in roles_in(name)}
    return modules, {"told": words} if words else {}


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of the checkpoint at `path`, its files checked.

    Raises:
        CheckpointError: nothing there, not a checkpoint, or a file missing or changed.
    """
    file = path / MANIFEST
    if not file.is_file():
        raise CheckpointError(
            f"{path}: no checkpoint here ({MANIFEST} not found); name the folder that training wrote, "
            "runs/<id>/checkpoint"
        )
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        known = manifest["format"] == FORMAT
        files = dict(manifest["files"])
        assert {"algorithm", "spaces"} <= manifest.keys()
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise CheckpointError(f"{file}: damaged manifest; train again, or copy the checkpoint again") from error
    if not known:
        raise CheckpointError(f"{file}: format {manifest['format']}, but this version reads {FORMAT}; train again")
    found = _digests(path)
    for name, digest in files.items():
        if found.get(name) != digest:
            state = "is damaged" if name in found else "is missing"
            raise CheckpointError(f"{path}: {name} {state}; train again, or copy the checkpoint again")
    return dict(manifest)


class CheckpointPolicy:
    """Acts greedily with the modules of a checkpoint: the legal action of the highest logit.

    Uses one torch thread: a decision is small, and evaluation runs many processes.

    Args:
        path: the folder `save_checkpoint` wrote.

    Raises:
        CheckpointError: the checkpoint is missing, damaged, or unreadable with the RLlib installed.
    """

    def __init__(self, path: str | Path) -> None:
        import torch
        from ray.rllib.core.rl_module.rl_module import RLModule

        self.path = Path(path)
        self.manifest = read_manifest(self.path)
        self.name = str(self.manifest["algorithm"])
        if self.manifest.get("init"):
            self.name += f" from {self.manifest['init']}"
        self._told: dict[str, list[float]] = self.manifest.get("told", {})
        torch.set_num_threads(1)
        # RLlib warns of its own ways of loading, and of a class it cannot find, for which there is our error.
        for name in ("ray.rllib", "ray._common.deprecation"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self._modules = {}
        for role in self.manifest["spaces"]:
            try:
                module = RLModule.from_checkpoint(self.path.resolve() / "modules" / role)
            except Exception as error:
                reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
                raise CheckpointError(f"{self.path}: cannot load the module of {role}: {reason[0]}") from error
            self._modules[role] = module.eval()

    def reset(self, env: Any, seed: int) -> None:
        """Check that the environment has the roles and spaces of the checkpoint; `seed` is not needed.

        Raises:
            CheckpointError: they differ.
        """
        spaces: dict[str, dict[str, Any]] = {}
        for agent in env.possible_agents:
            action = env.action_space(agent)
            shapes = _shapes(masked_space(env.observation_space(agent), action), action)
            word = self._told.get(role_of(agent), [])
            spaces[role_of(agent)] = shapes | {"inputs": [n + len(word) for n in shapes["inputs"]]}
        trained = self.manifest["spaces"]
        if spaces.keys() != trained.keys():
            raise CheckpointError(
                f"{self.path}: trained for the roles {', '.join(sorted(trained))}, "
                f"but the environment has {', '.join(sorted(spaces))}; train on this scenario"
            )
        here = words_of(env)
        for role, kinds in self.manifest.get("words", {}).items():
            for kind, names in kinds.items():
                if role in here and (how := _apart(names, here[role][kind])):
                    raise CheckpointError(
                        f"{self.path}: {role} {kind} something else here: {how}; train on this scenario"
                    )
        for role, shapes in spaces.items():
            if shapes != trained[role]:
                raise CheckpointError(
                    f"{self.path}: {role} was trained with {_words(trained[role])}, "
                    f"but the environment has {_words(shapes)}; train on this scenario"
                )

    def act(self, env: Any, observations: Mapping[str, Any], infos: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
        """One legal action per live agent; the agents of a role are one batch."""
        import torch
        from ray.rllib.core.columns import Columns

        actions: dict[str, int] = {}
        for role, module in self._modules.items():
            agents = [a for a in env.agents if role_of(a) == role]
            if not agents:
                continue
            forced = [_forced(infos[a].get("action_mask")) for a in agents]
            if all(action is not None for action in forced):  # the network would say the same, and take far longer
                actions.update(zip(agents, forced, strict=True))  # type: ignore[arg-type]
                continue
            n = self.manifest["spaces"][role]["actions"]
            word = self._told.get(role)
            rows = np.stack(
                [with_mask(with_word(observations[a], word), infos[a].get("action_mask"), n) for a in agents]
            )
            with torch.inference_mode():
                out = module.forward_inference({Columns.OBS: torch.from_numpy(rows)})
                best = out[Columns.ACTION_DIST_INPUTS].argmax(-1).tolist()
            actions.update(zip(agents, best, strict=True))
        return {a: actions[a] for a in env.agents}


def words_of(env: Any) -> dict[str, dict[str, list[str]]]:
    """By role the names of what it observes (`sees`) and of its actions (`does`), of environments that have names."""
    if not (hasattr(env, "observation_names") and hasattr(env, "action_names")):
        return {}
    return {
        role_of(agent): {"sees": list(env.observation_names(agent)), "does": list(env.action_names(agent))}
        for agent in env.possible_agents
    }


def _apart(then: Sequence[str], now: Sequence[str]) -> str:
    """How the names of an environment differ from those of training; empty if they mean the same."""
    before, after = [_size_apart(name) for name in then], [_size_apart(name) for name in now]
    if before == after:
        return ""
    new = [name for name, plain in zip(now, after, strict=True) if plain not in before]
    gone = [name for name, plain in zip(then, before, strict=True) if plain not in after]
    if not (new or gone):
        place = next((n for n, (old, own) in enumerate(zip(before, after, strict=False)) if old != own), len(before))
        return f"the same words in another order, from number {place} on ({', '.join(now[place : place + 1])})"
    parts = [f"{_listed(new)}, which training did not know"] if new else []
    return ", and ".join([*parts, *([f"not {_listed(gone)}, which it knew"] if gone else [])])


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_WORDS
    return ", ".join(f"'{name}'" for name in names[:MOST_WORDS]) + (f" and {more} more" if more > 0 else "")


def _size_apart(name: str) -> str:
    """A name without the sizes in it, which go with the size of a hospital: how many are called in, and beds opened."""
    return re.sub(r"[+-]?\b\d+\b(?!\])", "#", name)


def _forced(mask: Any) -> int | None:
    """The only legal action, if there is but one."""
    return int(np.argmax(mask)) if mask is not None and np.count_nonzero(mask) == 1 else None


def _shapes(observation_space: Space[Any], action_space: Space[Any]) -> dict[str, Any]:
    """What must agree between a module and an environment: numbers observed (mask included) and actions."""
    n = int(action_space.n) if isinstance(action_space, Discrete) else None
    return {"inputs": list(observation_space.shape or ()), "actions": n}


def _words(shapes: Mapping[str, Any]) -> str:
    seen = int(np.prod(shapes["inputs"])) - (shapes["actions"] or 0)
    return f"{seen} observed numbers and {shapes['actions']} actions"


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under `folder` but the manifest, by relative path."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST)
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
