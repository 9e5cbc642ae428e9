"""Commands that review what the warehouse holds: flags, quality."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from commands.parsing import Add


def add_commands(add: Add) -> None:
    """Add the commands of this file to the parser."""
    flags = add("flags", _flags, "compute red flags of all records: signs that somebody should look, no proof")
    flags.add_argument("--year", type=int, metavar="YEAR", help="of this fiscal year alone")
    flags.add_argument("--code", metavar="CODE", help="of this flag alone, such as R018")
    flags.add_argument("--list", action="store_true", help="list the flagged subjects, with the figures that decided")
    flags.add_argument("--json", action="store_true")
    text = "check all records, the data set, its history and its sources; write a report, and for each office a sheet"
    quality = add("quality", _quality, text)
    quality.add_argument("--out", metavar="DIR", type=Path, help="where to write index.html and the folder kantor")
    quality.add_argument("--year", type=int, metavar="YEAR", help="sheets of this fiscal year alone")
    quality.add_argument("--json", action="store_true")


def _flags(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings
    from pipeline.flags import compute_flags
    from reports.flags import counts, flagged, wanted
    from warehouse.engine import reading

    settings = load_settings(options.settings)
    chosen = wanted(options.code)
    with steps.recorded(settings, "flags") as run_id:
        compute_flags(settings, run_id, options.year)
    with reading(steps.warehouse(settings)) as conn:
        if options.list:
            for row in flagged(conn, chosen, options.year):
                print(json.dumps(row, ensure_ascii=False) if options.json else _listed(row))
            return 0
        found = counts(conn, chosen, options.year)
    if options.json:
        print(json.dumps({"flags": found}))
        return 0
    never = {flag.code: flag.never for flag in chosen if flag.never}
    print(f"{'code':6}{'subject':10}{'computable':>10}{'flagged':>9}  title")
    for row in found:
        note = (
            f" (never computable here: {never[row['code']]})" if row["code"] in never and not row["computable"] else ""
        )
        print(f"{row['code']:6}{row['subject']:10}{row['computable']:>10,}{row['flagged']:>9,}  {row['title']}{note}")
    print(
        "Counts are of subjects. docs/redflags.md has the rules; `jejak flags --code R018 --list` lists who is flagged."
    )
    return 0


def _listed(row: dict[str, Any]) -> str:
    why = ", ".join(f"{name} {value}" for name, value in row["why"].items())
    return f"{row['code']}  {row['fiscal_year'] or '-'}  {row['subject_id']}  {row['name'] or ''}: {why}"


def _quality(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings
    from pipeline.quality import SEVERITIES, compute_quality
    from warehouse.engine import reading

    settings = load_settings(options.settings)
    with steps.recorded(settings, "quality") as run_id:
        found = compute_quality(settings, run_id)
    order = ("error", "warning", "notice")
    ranked = sorted(found.items(), key=lambda item: (order.index(SEVERITIES[item[0]]), -item[1]))
    if options.json:
        print(json.dumps({"findings": [{"code": c, "severity": SEVERITIES[c], "findings": n} for c, n in ranked]}))
    else:
        for code, number in ranked:
            print(f"{SEVERITIES[code]:9}{number:>8,}  {code}")
        print(f"{sum(found.values()):,} findings. docs/quality.md explains them, the table quality_finding has each.")
    if options.out:
        from reports.review.page import write_page
        from reports.review.sheets import write_sheets

        with reading(steps.warehouse(settings)) as conn:
            sheets = write_sheets(conn, options.out / "kantor", options.year)
            write_page(conn, options.out / "index.html", settings.name, sheets)
        written = f"{options.out / 'index.html'}, and {len(sheets)} offices' sheets in {options.out / 'kantor'}"
        print(written, file=sys.stderr if options.json else sys.stdout)
    return 0
