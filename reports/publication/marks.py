"""Which words follow one another in a publication, and its long numbers: whether a value can stand in its files is told
without reading them again.

They are kept as CRC-32, beside the publication: what isn't among these is nowhere in the files, what is may be there.
"""

import hashlib
import zlib
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

_DIGEST = 32  # characters
_MANY = 100_000
_Values = NDArray[np.uint32]


class Met:
    """Collects what is read: words in capitals, those that follow one another, and numbers."""

    def __init__(self) -> None:
        self._pairs: set[tuple[bytes, bytes]] = set()
        self._others: set[bytes] = set()
        self._parts: list[_Values] = []

    def add(self, words: list[bytes], numbers: Iterable[str]) -> None:
        """The words of a text, in their order, and numbers in it."""
        self._pairs.update(pairwise(words))
        self._others.update(words)
        self._others.update(map(str.encode, numbers))
        if len(self._pairs) > _MANY:
            self.values()

    def values(self) -> _Values:
        """The marks of all of them."""
        keys = [*self._others, *map(b" ".join, self._pairs)]
        self._parts = [_together([*self._parts, np.array([*map(zlib.crc32, keys)], np.uint32)])]
        self._pairs, self._others = set(), set()
        return self._parts[0]


class Marks:
    """The marks of a publication, and which personal values could stand in it when all of them had been looked for."""

    def __init__(self, looked_for: str = "", values: _Values | None = None) -> None:
        self._looked_for = looked_for
        self._parts = [] if values is None else [values]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Those that `write` has left; none, for which nothing has been looked for, where the file is missing."""
        if not path.is_file():
            return cls()
        content = path.read_bytes()
        return cls(content[:_DIGEST].decode(), np.frombuffer(content, np.uint32, offset=_DIGEST))

    def write(self, path: Path, personal: Iterable[str]) -> None:
        """Keep them for the next publication; the values of `personal` have been looked for in all files."""
        path.write_bytes(self._held(personal).encode() + self._values().tobytes())

    def add(self, values: _Values) -> None:
        """Those of more files."""
        self._parts.append(values)
        if len(self._parts) > 100:
            self._values()

    def none_of(self, personal: Iterable[str]) -> bool:
        """Whether of these values nothing can stand in the files but what was looked for in them."""
        return self._looked_for == self._held(personal)

    def _values(self) -> _Values:
        self._parts = [_together(self._parts)]
        return self._parts[0]

    def _held(self, personal: Iterable[str]) -> str:
        """A digest of the values that may stand in the files."""
        values = sorted(personal)
        keys = [_keys(value.encode()) for value in values]
        there = np.isin(np.array([key for own in keys for key in own], np.uint32), self._values())
        digest, start = hashlib.blake2b(digest_size=_DIGEST // 2), 0
        for value, own in zip(values, keys, strict=True):
            if there[start : start + len(own)].all():
                digest.update(f"{value}\n".encode())
            start += len(own)
        return digest.hexdigest()


def _keys(text: bytes) -> list[int]:
    """The marks of a value: of the pairs of its words, or of the only word that it has."""
    words = text.split()
    return [*map(zlib.crc32, list(map(b" ".join, pairwise(words))) or words)]


def _together(parts: list[_Values]) -> _Values:
    return np.unique(np.concatenate([np.empty(0, np.uint32), *parts]))
