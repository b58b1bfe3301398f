"""A curriculum's state in a file, which is whole at any moment."""

from __future__ import annotations

import json
import os
from pathlib import Path

from orchestration.curriculum.machine import Curriculum, CurriculumError


def save(curriculum: Curriculum, file: Path) -> None:
    """Write the state of a curriculum; whoever is killed meanwhile leaves the state before, or this one.

    Raises:
        OSError: it cannot be written; the state before is left.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with draft.open("w", encoding="utf-8") as stream:
            json.dump(curriculum.state_dict(), stream, allow_nan=False)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def restore(curriculum: Curriculum, file: Path) -> None:
    """Go on from the state in a file.

    Raises:
        CurriculumError: it is damaged, or belongs to other stages.
        OSError: it cannot be read.
    """
    try:
        state = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CurriculumError(f"{file}: is no state of a curriculum, or damaged") from error
    try:
        curriculum.load_state_dict(state)
    except CurriculumError as error:
        raise CurriculumError(f"{file}: {error}") from error
