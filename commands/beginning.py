"""The command that begins: init."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from commands.parsing import Add
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from pipeline.beginning import Answers, Road

_CODE = (r"[A-Za-z]?\d+", "a code is a letter and digits, or digits alone")
_PLACE = (r"\d\d(\.\d\d)?", "Kemendagri's code has two or four digits, such as 35.22")
_PREFIX = (r"ocds-[a-z0-9]{6}", "a prefix is ocds- and six letters or digits")
_OFFSET = (r"[+-]\d\d:\d\d", "write +07:00 (WIB), +08:00 (WITA) or +09:00 (WIT)")
_YEARS = (r"((19|20)\d\d([ ,]+|$))*", "write years, such as 2025, 2026, or nothing for the calendar's")
_ANY = (r".*\S.*", "write something")


def add_commands(add: Add) -> None:
    """Add the commands of this file to the parser."""
    init = add("init", _init, "write the first settings file of a regency: asks what is not given")
    init.add_argument("file", metavar="FILE.toml", type=Path, help="it must not exist yet")
    init.add_argument("--name", help="the publisher's name, such as 'Pemerintah Kabupaten Bojonegoro'")
    init.add_argument("--kd-klpd", metavar="CODE", help="LKPP's code of the regency, such as D171")
    init.add_argument("--kd-lpse", metavar="CODE", help="LKPP's code of its LPSE, such as 244")
    init.add_argument("--wilayah", metavar="CODE", help="Kemendagri's code of the regency, such as 35.22")
    init.add_argument("--ocid-prefix", metavar="PREFIX", help="the registered prefix of its OCIDs")
    init.add_argument("--utc-offset", metavar="+HH:MM", help="local time: +07:00, +08:00 or +09:00")
    init.add_argument("--years", metavar="YEARS", help="fiscal years, such as 2025,2026; else by the calendar")
    init.add_argument(
        "--source",
        action="append",
        metavar="NAME=ROAD[:ADDRESS]",
        help="a system and how it is read, such as sirup=inaproc, simpen=rest:https://... or simpen=files:FOLDER",
    )
    init.add_argument("--postgresql", action="store_true", help="the warehouse is a PostgreSQL database, not a file")
    init.add_argument("--yes", action="store_true", help="ask nothing: what is not given takes its default")


def _init(options: argparse.Namespace) -> int:
    from pipeline.beginning import PLACEHOLDER, Answers, secrets_of, settings_text
    from pipeline.configure import check_text
    from transforms.places import is_region

    path: Path = options.file
    if path.exists():
        raise SettingsError(f"{path} is there already, and is not overwritten: give another name, or edit it")
    asking = not options.yes and sys.stdin.isatty()
    ask = _asker(asking)
    answers = Answers(
        name=ask(options.name, "--name", "Publisher's name (Pemerintah Kabupaten ...)", None, _ANY),
        kd_klpd=ask(options.kd_klpd, "--kd-klpd", "LKPP's code of the regency (kd_klpd, such as D171)", None, _CODE),
        kd_lpse=ask(options.kd_lpse, "--kd-lpse", "LKPP's code of its LPSE (kd_lpse, such as 244)", None, _CODE),
        wilayah=ask(options.wilayah, "--wilayah", "Kemendagri's code of the regency (such as 35.22)", "", _PLACE),
        ocid_prefix=ask(options.ocid_prefix, "--ocid-prefix", "Registered OCID prefix", PLACEHOLDER, _PREFIX),
        utc_offset=ask(options.utc_offset, "--utc-offset", "Local time", "+07:00", _OFFSET),
        years=tuple(
            map(
                int,
                re.findall(r"\d+", ask(options.years, "--years", "Fiscal years (empty: by the calendar)", "", _YEARS)),
            )
        ),
        roads=_roads(options.source, asking),
        postgresql=options.postgresql,
    )
    if answers.wilayah and not is_region(answers.wilayah):
        raise SettingsError(f"--wilayah {answers.wilayah}: no province or regency has this code; Bojonegoro's is 35.22")
    text = settings_text(answers)
    check_text(path, text)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    _say_next(path, answers, list(secrets_of(answers)))
    return 0


def _say_next(path: Path, answers: Answers, secrets: Sequence[tuple[str, str, str]]) -> None:
    print(f"{path} is written. Look through it, then:\n")
    print(f"  export JEJAK_SETTINGS={path}")
    for name, value, what in secrets:
        print(f"  export {name}={value}   # {what}")
    jejak = ".venv/bin/jejak" if Path(".venv/bin/jejak").exists() else "jejak"
    print(f"  {jejak} check    # tries each source, loads nothing")
    print(f"  {jejak} sync     # the first sync")
    without = [name for name, road in answers.roads.items() if road.transport == "files"]
    if without:
        print(f"\nFiles: put those of {', '.join(without)} into the folders that the settings file names.")


def _asker(asking: bool) -> Callable[[str | None, str, str, str | None, tuple[str, str]], str]:
    def ask(given: str | None, flag: str, question: str, default: str | None, form: tuple[str, str]) -> str:
        """An answer: the one that was given, what somebody types, or the default. Raises SettingsError."""
        pattern, hint = form
        while True:
            typed = given
            if typed is None and asking:
                typed = _typed(f"{question}{f' [{default}]' if default else ''}: ")
            if not typed and default is not None:
                return default
            if typed is not None and re.fullmatch(pattern, typed.strip()):
                return typed.strip()
            if given is not None or not asking:
                raise SettingsError(f"{flag} {hint}" if given is not None else f"give {flag}: {question}")
            print(f"  {hint}", file=sys.stderr)

    return ask


def _typed(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        raise SettingsError("the answers ended: nothing was written; `jejak init --help` lists them as flags") from None


def _roads(given: list[str] | None, asking: bool) -> dict[str, Road]:
    """How each chosen source is read: as given, or asked one by one; none given and nobody to ask: LKPP's two."""
    from pipeline.beginning import ROADS, SYSTEMS
    from pipeline.configure import meant

    roads: dict[str, Road] = {}
    for each in given or () if given or asking else ("sirup=inaproc", "lpse=inaproc"):
        name, _, written = each.partition("=")
        if name not in ROADS:
            raise SettingsError(f"--source {name} is no source; {meant(name, list(ROADS))}")
        roads[name] = _road(name, written)
    if given or not asking:
        return roads
    print("\nHow is each system read? Empty: not yet.", file=sys.stderr)
    for name, kinds in ROADS.items():
        while True:
            typed = _typed(f"{SYSTEMS.get(name, name)} ({', '.join(kinds)}): ").strip()
            if not typed:
                break
            try:
                road = _road(name, typed)
                if road.transport in ("rest", "files") and ":" not in typed:
                    what = "address" if road.transport == "rest" else "folder"
                    if address := _typed(f"  its {what} (empty: later): ").strip():
                        road = _road(name, f"{typed}:{address}")
            except SettingsError as error:
                print(f"  {error}", file=sys.stderr)
                continue
            roads[name] = road
            break
    return roads


def _road(name: str, text: str) -> Road:
    """`inaproc`, `rest:https://...` or `files:FOLDER` as a road. Raises SettingsError."""
    from pipeline.beginning import ROADS, Road

    transport, _, address = text.partition(":")
    if transport not in ROADS[name]:
        raise SettingsError(f"--source {name} is read by {' or '.join(ROADS[name])}, not by {transport or 'nothing'}")
    if transport == "files":
        return Road(transport, folder=os.path.normpath(address) if address else None)
    if transport == "sql" and address:
        raise SettingsError(
            f"a database's address holds its password: set JEJAK_SOURCES__{name.upper()}__DATABASE, and give {name}=sql"
        )
    return Road(transport, url=address or None)
