"""Commands about words that no code table knows: list, give, undo, export, import."""

from __future__ import annotations

import argparse
import getpass
import json
from pathlib import Path
from typing import Any

from commands.parsing import Add, csv_file, output


def add_commands(add: Add) -> None:
    """Add the actions of `jejak codes` to its parser."""
    listing = add("list", _list, "words that no code table knows, by field, and the meanings that operators gave")
    listing.add_argument("--json", action="store_true")
    giving = add("give", _give, "say what a word means; the processes that use it are built again")
    undoing = add("undo", _give, "take a meaning back; the processes that use the word are built again")
    for action in (giving, undoing):
        action.add_argument("source", metavar="SOURCE")
        action.add_argument("list", metavar="LIST", help="list of the source's code table, as `list` shows it")
        action.add_argument("word", metavar="WORD")
        if action is giving:
            action.add_argument("code", metavar="CODE", help="a code of that list; '' if OCDS has none for it")
        action.add_argument("--by", default=None, help="who decides; the login name by default")
        action.add_argument("--note", help="why")
    undoing.set_defaults(code=None)
    out = add("export", _export, "all meanings that operators gave, as CSV")
    out.add_argument("file", metavar="FILE.csv")
    back = add("import", _import, "take meanings over from CSV with the columns source, list, word and code")
    back.add_argument("file", metavar="FILE.csv")
    back.add_argument("--by", default=None, help="who decides; the login name by default")


def _list(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings
    from pipeline.meanings import unknown_words
    from warehouse.engine import reading

    with reading(steps.warehouse(load_settings(options.settings))) as conn:
        words = unknown_words(conn)
    if options.json:
        print(json.dumps(words, ensure_ascii=False))
        return 0
    for word in words:
        meaning = "no meaning yet" if word["code"] is None else f"{word['code'] or '(no code)'}, by {word['by']}"
        print(
            f"{word['source']} {word['list']} {word['word']!r}: {meaning}\n"
            f"  {word['service']}.{word['field']}, {word['processes']:,} processes; "
            f"codes: {', '.join(filter(None, word['choices']))}"
        )
    left = sum(word["code"] is None for word in words)
    print(f"{left:,} words without a meaning; `jejak codes give SOURCE LIST WORD CODE` gives one.")
    return 0


def _give(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings

    settings = load_settings(options.settings)
    who = options.by or getpass.getuser()
    word = (options.source, options.list, options.word)
    ocids = steps.give_meaning(settings, word, options.code, who, options.note)
    print(f"{len(ocids):,} processes use it.")
    return _build(settings) if ocids else 0


def _build(settings: Any) -> int:
    from pipeline import steps

    with steps.recorded(settings, "build") as run_id:
        counts = steps.build_records(settings, run_id)
    print(f"{counts['built']:,} records built again.")
    return 0


def _export(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings
    from pipeline.meanings import to_csv
    from warehouse.engine import reading
    from warehouse.whole import replacing_file

    settings = load_settings(options.settings)
    file = output(options, settings, Path(options.file))
    with reading(steps.warehouse(settings)) as conn:
        text = to_csv(conn)
    with replacing_file(file) as new:
        new.write_text(text, encoding="utf-8")
    print(f"{len(text.splitlines()) - 1:,} meanings in {options.file}.")
    return 0


def _import(options: argparse.Namespace) -> int:
    from pipeline import queues, steps
    from pipeline.configure import load_settings
    from pipeline.meanings import from_csv
    from warehouse.engine import writing

    settings = load_settings(options.settings)
    with csv_file(Path(options.file)) as file, writing(steps.warehouse(settings)) as conn:
        queues.settling(conn)
        counts = from_csv(conn, file, options.by or getpass.getuser())
    print(f"{counts['applied']:,} meanings applied, {counts['unchanged']:,} unchanged.")
    return _build(settings) if counts["processes"] else 0
