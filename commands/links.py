"""Commands about links between systems: list, show, confirm, reject, evaluate."""

from __future__ import annotations

import argparse
import getpass
import json
import logging
import tempfile
from pathlib import Path

from commands.parsing import Add, rule_name


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
    ):
        deciding = add(name, _links_decide, text)
        deciding.set_defaults(status=status)
        deciding.add_argument("links", nargs="+", metavar="LINK")
        deciding.add_argument("--by", default=None, help="who decides; the login name by default")
        deciding.add_argument("--note", help="why")
    measuring = add("evaluate", _links_evaluate, "link a simulated regency, whose truth is known, and compare")
    measuring.add_argument("--seed", type=int, default=11, help="which regency; rules were tuned on 1 to 3")
    measuring.add_argument("--noise", type=float, default=1.0, help="0 is none, 1 usual, 2 double")
    measuring.add_argument("--packages", type=int, default=2500, help="size of the regency")
    measuring.add_argument(
        "--hidden", action="store_true", help="instead hide the keys of the rows in the warehouse, and find them again"
    )
    measuring.add_argument("--json", action="store_true")


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
    with steps.recorded(settings, "links") as run_id:
        counts = steps.build_records(settings, run_id)
    print(f"{counts['built']:,} records built again.")
    return 0


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
