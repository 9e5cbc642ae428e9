"""What the families of commands share to describe their arguments; nothing here loads more than argparse."""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from schemas.errors import SettingsError

if TYPE_CHECKING:
    from schemas.settings import Settings

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


def share(text: str) -> float:
    """A share from 0 to 1, for argparse."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share: write one from 0 to 1, such as 0.5 for 50 %")
    return value


def output(options: argparse.Namespace, settings: Settings, path: Path) -> Path:
    """The file that a command is to write. Raises SettingsError where that is the warehouse or the settings file."""
    from sqlalchemy import make_url

    taken = [options.settings or os.environ["JEJAK_SETTINGS"]]
    url = make_url(settings.warehouse_url)
    if url.get_backend_name() == "sqlite":
        taken += [f"{url.database}{ending}" for ending in ("", "-wal", "-shm")]
    if path.exists() and any(Path(each).exists() and path.samefile(each) for each in taken):
        raise SettingsError(
            f"{path} is the warehouse or the settings file, which nothing may replace: give another file"
        )
    return path


@contextmanager
def csv_file(path: Path) -> Iterator[IO[str]]:
    """A CSV file to read. Raises SettingsError where it is no text in UTF-8, or no CSV."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except (UnicodeDecodeError, csv.Error):
        raise SettingsError(
            f"{path} is no CSV file in UTF-8: save it as CSV UTF-8, with commas between the columns"
        ) from None
