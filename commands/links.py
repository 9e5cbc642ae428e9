"""Commands about links between systems: list, show, review, confirm, reject, pending, export, import, evaluate."""

from __future__ import annotations

import argparse
import getpass
import json
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from commands.parsing import Add, output, rule_name, share
from schemas.errors import SettingsError


def add_commands(add: Add) -> None:
    """Add the actions of `jejak links` to its parser."""
    listing = add("list", _links_list, "links, the ones that wait for a decision by default")
    listing.add_argument("--status", choices=("auto", "pending", "confirmed", "rejected", "all"), default="pending")
    listing.add_argument("--rule", type=rule_name, help="only links of this rule, such as contract-payment")
    listing.add_argument("--json", action="store_true")
    show = add("show", _links_show, "one link: both sides as their systems have them, and why they may belong together")
    show.add_argument("link", metavar="LINK")
    for name, status, text in (
        ("confirm", "confirmed", "these belong together: the link stands whatever later runs find"),
        ("reject", "rejected", "these don't belong together: the link is never made again"),
        ("pending", "pending", "take a decision back: the link is what the evidence makes of it"),
    ):
        deciding = add(name, _links_decide, text)
        deciding.set_defaults(status=status)
        deciding.add_argument("links", nargs="+", metavar="LINK")
        deciding.add_argument("--by", default=None, help="who decides; the login name by default")
        deciding.add_argument("--note", help="why")
    review = add("review", _links_review, "decide links one after another, those with most money first")
    _choosing(review)
    review.add_argument("--by", default=None, help="who decides; the login name by default")
    out = add("export", _links_export, "links as a sheet (XLSX) for the offices, with columns for decision and note")
    _choosing(out)
    out.add_argument("file", metavar="FILE.xlsx")
    out.add_argument("--status", choices=("auto", "pending", "confirmed", "rejected", "all"), default="pending")
    back = add("import", _links_import, "take the decisions over that a sheet of `export` has come back with")
    back.add_argument("file", metavar="FILE.xlsx")
    back.add_argument("--dry-run", action="store_true", help="only say what would become of each line")
    back.add_argument("--by", default=None, help="who decides; the login name by default")
    back.add_argument("--json", action="store_true")
    measuring = add("evaluate", _links_evaluate, "link a simulated regency, whose truth is known, and compare")
    measuring.add_argument("--seed", type=int, default=11, help="which regency; rules were tuned on 1 to 3")
    measuring.add_argument("--noise", type=float, default=1.0, help="0 is none, 1 usual, 2 double")
    measuring.add_argument("--packages", type=int, default=2500, help="size of the regency")
    measuring.add_argument(
        "--hidden", action="store_true", help="instead hide the keys of the rows in the warehouse, and find them again"
    )
    measuring.add_argument("--json", action="store_true")


def _choosing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rule", type=rule_name, help="only links of this rule, such as contract-payment")
    parser.add_argument("--office", help="only of offices whose name has this in it")
    parser.add_argument("--year", type=int, help="only of this fiscal year")
    parser.add_argument("--least", type=share, help="only of at least this confidence, from 0 to 1")
    parser.add_argument("--most", type=share, help="only of at most this confidence")
    parser.add_argument("--language", choices=("id", "en"), default="en", help="of the reasons")


def _wanted(options: argparse.Namespace, status: str = "pending") -> Any:
    from reports.deciding import Wanted

    return Wanted(options.rule, options.office, options.year, options.least, options.most, status)


def _links_list(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings

    settings = load_settings(options.settings)
    found = steps.links_of(settings, None if options.status == "all" else options.status, options.rule)
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return 0
    for link in found:
        print(
            f"{link['id']}  {link['rule']:<17} {link['confidence']:.3f} {link['status']:<9} "
            f"{link['from']['kind']} {link['from']['code']} {link['from']['title'] or ''}"
            f"\n{'':14}{link['by']:<23} -> {link['to']['kind']} {link['to']['code']} {link['to']['title'] or ''}"
        )
    print(f"{len(found):,} links. `jejak links show LINK` compares both sides; confirm or reject decides.")
    return 0


def _links_show(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings

    link = steps.link_of(load_settings(options.settings), options.link)
    print(f"{link['id']}  {link['rule']}, {link['status']}, confidence {link['confidence']:.3f} by {link['by']}")
    if link["decided_at"]:
        print(f"  {link['status']} by {link['decided_by']} at {link['decided_at']}: {link['note'] or '(no note)'}")
    names = [name for name in link["from"] if link["from"][name] or link["to"][name]]
    for name in names:
        print(f"  {name:<12} {link['from'][name] or '-'!s:<60.60} | {link['to'][name] or '-'}")
    return 0


def _links_decide(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings

    settings = load_settings(options.settings)
    who = options.by or getpass.getuser()
    for row in steps.decide(settings, options.links, options.status, who, options.note):
        print(f"{row.id}: {row.status}, {row.from_kind} {row.from_code} -> {row.to_kind} {row.to_code}")
    return _build(settings)


def _build(settings: Any) -> int:
    from pipeline import steps

    with steps.recorded(settings, "links") as run_id:
        counts = steps.build_records(settings, run_id)
    print(f"{counts['built']:,} records built again.")
    return 0


def _links_review(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings
    from reports.deciding import cases
    from warehouse.engine import reading

    settings = load_settings(options.settings)
    wanted, who = _wanted(options), options.by or getpass.getuser()
    with reading(steps.warehouse(settings)) as conn:
        count, waiting = cases(conn, wanted, options.language)
    print(f"{count:,} subjects have links that wait. Type a number to confirm, -number to reject, Enter to leave it.")
    decided = 0
    for place, case in enumerate(waiting, start=1):
        print("\n" + "\n".join(_case_lines(case, place, count)))
        answer = _asked(len(case["links"]))
        if answer is None:
            break
        if answer:
            decided += _review_one(settings, case["links"][abs(answer) - 1], answer > 0, who)
    print(f"{decided:,} decided.")
    return _build(settings) if decided else 0


def _asked(most: int) -> int | None:
    """What the operator types: the number of a link, negative to reject it, 0 to go on; None to end."""
    while True:
        try:
            text = input(f"1-{most}, -1 to -{most}, Enter, or q to end: ").strip()
        except EOFError:
            return None
        if text == "q":
            return None
        if not text:
            return 0
        if text.lstrip("-").isdecimal() and 1 <= abs(int(text)) <= most:
            return int(text)
        print(f"  {text!r} is none of these")


def _review_one(settings: Any, link: dict[str, Any], confirms: bool, who: str) -> int:
    from pipeline import steps
    from schemas.errors import Conflict

    note = input("note (Enter for none): ").strip() or None
    try:
        steps.decide(
            settings, [link["id"]], "confirmed" if confirms else "rejected", who, note, {link["id"]: link["seen"]}
        )
    except Conflict as error:
        print(f"  {error}")
        return 0
    print(f"  {link['id']}: {'confirmed' if confirms else 'rejected'}")
    return 1


def _case_lines(case: dict[str, Any], place: int, count: int) -> Iterator[str]:
    money = f", Rp {case['money']:,.0f}" if case["money"] else ""
    yield f"[{place} of {count}] {case['rule']}: {case['kind']} {case['code']}{money}"
    yield from (
        f"  {name:<10} {value}" for name, value in case["from"].items() if value and name not in ("kind", "code")
    )
    for number, link in enumerate(case["links"], start=1):
        to = link["to"]
        yield f"  {number}. {link['confidence']:.3f} {link['status']}  {to['kind']} {to['code']} {to['title'] or ''}"
        summary = "; ".join(
            f"{name} {to[name]}" for name in ("office", "numbers", "amounts", "suppliers", "place") if to[name]
        )
        yield f"     {summary}"
        yield f"     + {'; '.join(link['for'])}"
        if link["against"]:
            yield f"     - {'; '.join(link['against'])}"


def _links_export(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings
    from reports.deciding import write_sheet
    from warehouse.engine import reading
    from warehouse.whole import replacing_file

    settings = load_settings(options.settings)
    file = output(options, settings, Path(options.file))
    if file.suffix.lower() != ".xlsx":
        raise SettingsError(f"{file} would hold a workbook: give a name that ends in .xlsx")
    with reading(steps.warehouse(settings)) as conn, replacing_file(file) as new:
        count = write_sheet(conn, new, _wanted(options, options.status), options.language)
    print(f"{count:,} links in {options.file}; `jejak links import` takes the column decision back.")
    return 0


def _links_import(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings
    from reports.deciding import judged, read_sheet
    from warehouse.engine import reading

    settings = load_settings(options.settings)
    who = options.by or getpass.getuser()
    lines = read_sheet(Path(options.file))
    with reading(steps.warehouse(settings)) as conn:
        results = judged(conn, lines)
    if not options.dry_run:
        results = [_applied(settings, line, who) for line in results]
    if options.json:
        print(json.dumps(results, ensure_ascii=False))
    else:
        for line in results:
            print(f"line {line['line']}: {line['link']} {line['status']}, {line['result']}")
    counts = Counter(line["result"] for line in results)
    done = "would be applied" if options.dry_run else "applied"
    ended = {"apply": done, "applied": done, "unchanged": "unchanged", "conflict": "in conflict", "unknown": "unknown"}
    summary = (
        ", ".join(f"{counts[name]:,} {text}" for name, text in ended.items() if counts[name])
        or "no line has a decision"
    )
    print(f"{options.file}: {summary}.", file=sys.stderr if options.json else sys.stdout)
    if counts["conflict"]:
        print("Links in conflict have changed since the export: export them again and look.", file=sys.stderr)
    if counts["applied"]:
        _build(settings)
    return 1 if counts["conflict"] or counts["unknown"] else 0


def _applied(settings: Any, line: dict[str, Any], who: str) -> dict[str, Any]:
    from pipeline import steps
    from schemas.errors import Conflict

    if line["result"] != "apply":
        return line
    try:
        steps.decide(settings, [line["link"]], line["status"], who, line["note"], {line["link"]: line["seen"]})
    except Conflict:
        return {**line, "result": "conflict"}
    return {**line, "result": "applied"}


def _links_evaluate(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings
    from reports import evaluate
    from warehouse.engine import reading

    if options.hidden:
        with reading(steps.warehouse(load_settings(options.settings))) as conn:
            rules = evaluate.hidden(conn)
    else:
        logging.getLogger().setLevel(logging.ERROR)
        logging.getLogger("jejak.progress").setLevel(logging.INFO)
        with tempfile.TemporaryDirectory(prefix="jejak-") as folder:
            rules = evaluate.evaluate(Path(folder), options.seed, options.noise, options.packages)
    if options.json:
        print(json.dumps({"rules": rules}))
        return 0
    names = ("true", "found", "precision", "recall", "pending", "with pending")
    print(f"{'rule':<18}{'truth':<14}" + "".join(f"{name:>13}" for name in names))
    for rule in rules:
        shares = [
            "-" if rule[name] is None else f"{rule[name]:.3f}"
            for name in ("precision", "recall", "recall_with_pending")
        ]
        cells = (f"{rule['true']:,}", f"{rule['found']:,}", *shares[:2], f"{rule['pending']:,}", shares[2])
        print(f"{rule['rule']:<18}{rule['truth']:<14}" + "".join(f"{cell:>13}" for cell in cells))
    return 0
