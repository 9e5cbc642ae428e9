"""Which words follow one another in a publication, and its long numbers: whether a value can stand in its files follows
without reading them again.

They are kept as hashes, beside the publication: what isn't among these is nowhere in the files, what is may be there.
"""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

_DIGEST = 32  # characters
_MANY = 1_000_000
_BASE, _MIXED = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93
_INVERSE = pow(_BASE, -1, 1 << 64)
_Values = NDArray[np.uint32]


class Met:
    """Collects what is read: words in capitals, those that follow one another, and numbers."""

    def __init__(self) -> None:
        self._parts: list[_Values] = []
        self._size = 0

    def add(self, plain: bytes, numbers: Iterable[str]) -> None:
        """A text of words, a blank before, between and behind them, and the numbers in it."""
        words, pairs = _marks(plain)
        self._parts += [words, pairs, _marks(f" {' '.join(numbers)} ".encode())[0]]
        self._size += 2 * len(words)
        if self._size > _MANY:
            self.values()

    def values(self) -> _Values:
        """The marks of all of them."""
        self._parts, self._size = [_together(self._parts)], 0
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
        keys = [_keys(value) for value in values]
        sought = np.concatenate([np.empty(0, np.uint32), *keys])
        # np.isin takes thirty times as long. What is beyond the last finds a 0, which it is not.
        held = np.append(self._values(), np.uint32(0))
        there = held[np.searchsorted(held[:-1], sought)] == sought
        digest, start = hashlib.blake2b(digest_size=_DIGEST // 2), 0
        for value, own in zip(values, keys, strict=True):
            if there[start : start + len(own)].all():
                digest.update(f"{value}\n".encode())
            start += len(own)
        return digest.hexdigest()


def _keys(text: str) -> _Values:
    """The marks of a value: of the pairs of its words, or of the only word that it has."""
    words, pairs = _marks(f" {text} ".encode())
    return pairs if len(pairs) else words


def _marks(plain: bytes) -> tuple[_Values, _Values]:
    """The marks of the words of a text and of each two that follow one another: polynomials of their bytes."""
    content = np.frombuffer(plain, np.uint8)
    powers, inverses = _powers(1 << len(content).bit_length())
    sums = np.cumsum(content * powers[: len(content)])
    blanks = np.flatnonzero(content == ord(" "))
    words = (sums[blanks[1:]] - sums[blanks[:-1]]) * inverses[blanks[:-1]]
    pairs = words[:-1] * np.uint64(_BASE) + words[1:]
    return _mixed(words), _mixed(pairs)


@cache
def _powers(size: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    return tuple(  # type: ignore[return-value]
        np.multiply.accumulate(np.full(size, base, np.uint64)) for base in (_BASE, _INVERSE)
    )


def _mixed(values: NDArray[np.uint64]) -> _Values:
    """The upper half, since the lower bits of a polynomial depend on few bytes."""
    return (values * np.uint64(_MIXED) >> np.uint64(32)).astype(np.uint32)


def _together(parts: list[_Values]) -> _Values:
    """All marks once, sorted; `parts` is empty then, since both would be large together."""
    # np.unique takes five times as long.
    found: _Values = np.concatenate([np.empty(0, np.uint32), *parts])
    parts.clear()
    found.sort()
    first: NDArray[np.bool_] = np.append(True, found[1:] != found[:-1])[: len(found)]
    return found[first]
