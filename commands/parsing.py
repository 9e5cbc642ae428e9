"""What the families of commands share to describe their arguments; nothing here loads more than argparse."""

import argparse
from collections.abc import Callable, Collection
from datetime import date
from typing import Protocol

Run = Callable[[argparse.Namespace], int]
"""What a command does with its arguments; returns the exit status."""


class Add(Protocol):
    """Adds a command of this name, with its one line of help, and returns its parser."""

    def __call__(self, name: str, run: Run, text: str) -> argparse.ArgumentParser: ...


def source_name(name: str) -> str:
    """The name of a source, as an argument. Raises ArgumentTypeError with the names there are for any other."""
    from pipeline.registry import SOURCES

    return _one_of(SOURCES, name)


def rule_name(name: str) -> str:
    """The name of a linking rule whose links are kept, as an argument. Raises ArgumentTypeError as `source_name`."""
    from transforms.linking.rules import REVISION, RULES

    # A purchase names its plan by code: no link is kept of that.
    return _one_of([*(each for each in RULES if each != "rup-package"), REVISION], name)


def local_day(text: str) -> str:
    """A day as YYYY-MM-DD, as an argument. Raises ArgumentTypeError for anything else."""
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"invalid day: {text!r} (write YYYY-MM-DD)")


def counted(text: str) -> int:
    """A number from 1, as an argument. Raises ArgumentTypeError for anything else."""
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"invalid number: {text!r} (write 1 or more)")


def _one_of(names: Collection[str], name: str) -> str:
    if name not in names:
        raise argparse.ArgumentTypeError(f"invalid choice: {name!r} (choose from {', '.join(names)})")
    return name
