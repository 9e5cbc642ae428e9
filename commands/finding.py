"""The command that finds processes by what people hold in their hands: find."""

from __future__ import annotations

import argparse
import json

from commands.parsing import Add

_PLACES = {"ocid": "OCIDs", "code": "the systems' codes", "number": "numbers of papers", "title": "titles"}


def add_commands(add: Add) -> None:
    """Add the commands of this file to the parser."""
    find = add("find", _find, "processes by any number, code or title: of a contract, SP2D, SPM, proposal, tender ...")
    find.add_argument("text", nargs="+", metavar="TEXT", help="a number or code, or its beginning, or words of a title")
    find.add_argument("--json", action="store_true")


def _find(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings
    from reports.find import MOST, find
    from warehouse.engine import reading

    with reading(steps.warehouse(load_settings(options.settings))) as conn:
        found = find(conn, " ".join(options.text))
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0 if found["hits"] else 1
    for hit in found["hits"]:
        of = f" ({hit['subject'][0]} {hit['subject'][1]})" if hit["subject"] else ""
        print(f"{hit['ocid'] or 'linked to no process':<44} {hit['what']:<11} {hit['title'] or ''}{of}".rstrip())
    if found["personal"]:
        print("This may be a person's number: nothing is found by those.")
    elif not found["hits"]:
        places = ", ".join(_PLACES[place] for place in found["looked"])
        print(f"Nothing begins so in {places}." if places else "Too short: give three letters or figures at least.")
    else:
        more = " at least" if len(found["hits"]) == MOST else ""
        print(f"{len(found['hits'])} found{more}; `jejak trace OCID` follows one through all systems.")
    return 0 if found["hits"] else 1
