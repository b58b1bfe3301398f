"""Random numbers: one seed per episode, a stream of rows per source, hashed uniforms where a row is used up.

A source's n-th entity gets the same row in every run with the same seed, whatever a policy did before. That makes
paired comparisons of policies many times tighter than separate generators could.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Sequence

import numpy as np

_MASK = (1 << 64) - 1
_TINY = 2.0**-54
_BLOCK = 64


def stream(seed: int, name: str) -> np.random.Generator:
    """A generator that depends on the episode's seed and on a name alone, so adding a source moves no other."""
    sequence = np.random.SeedSequence(seed, spawn_key=(zlib.crc32(name.encode()),))
    return np.random.Generator(np.random.PCG64(sequence))


def hashed(key: int, column: int, visit: int) -> float:
    """A uniform in (0, 1) that is a pure function of its arguments (splitmix64's finaliser).

    Args:
        key: the entity's key.
        column: the purpose.
        visit: how often it was used before.
    """
    z = (
        key * 0x9E3779B97F4A7C15 + column * 0xD1B54A32D192ED03 + visit * 0x8CB92BA72F3D8DD7 + 0x632BE59BD9B4E019
    ) & _MASK
    for _ in range(2):  # twice, because neighbouring inputs differ in few bits
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        z ^= z >> 31
    return ((z >> 12) + 0.5) * 2.0**-52  # 52 bits and a half: with more, the largest would round to 1


def derived_row(key: int, ordinal: int, columns: int) -> list[float]:
    """The row of a returning entity: a function of its parent's key, so policies that delay others do not move it."""
    return [hashed(key ^ 0x5DEECE66D, column, ordinal) for column in range(columns)]


def uniforms(generator: np.random.Generator, count: int) -> array[float]:
    """So many uniforms in (0, 1)."""
    found = array("d")
    found.frombytes(np.maximum(generator.random(count), _TINY).tobytes())
    return found


class Rows:
    """Rows of uniforms for one source, drawn in blocks: row n is the same whatever else happens.

    Arrays, because most entities use but a few of their columns: a number becomes an object only when it is used.

    Attributes:
        ready: rows of the block that are left, the next one last.
    """

    __slots__ = ("_columns", "_generator", "ready")

    def __init__(self, seed: int, source: str, columns: int) -> None:
        self._generator = stream(seed, "rows:" + source)
        self._columns = columns
        self.ready: list[array[float]] = []

    def next(self) -> Sequence[float]:
        """The next row: ``columns`` floats in (0, 1)."""
        if not self.ready:
            columns = self._columns
            block = uniforms(self._generator, _BLOCK * columns)
            self.ready = [block[start : start + columns] for start in range(0, len(block), columns)]
            self.ready.reverse()
        return self.ready.pop()
