"""The command that carries the star tables away: extract."""

from __future__ import annotations

import argparse
from pathlib import Path

from commands.parsing import Add, output


def add_commands(add: Add) -> None:
    """Add the command of this file to the parser."""
    extract = add("extract", _extract, "star tables and marts to carry away: one SQLite file, or a folder of files")
    extract.add_argument("--out", required=True, metavar="PATH", type=Path, help="the file of sqlite, else the folder")
    extract.add_argument("--format", choices=("sqlite", "parquet", "csv", "xlsx"), default="sqlite")
    extract.add_argument("--year", type=int, metavar="YEAR", help="one fiscal year alone")
    extract.add_argument("--describe", metavar="FILE.json", type=Path, help="also Datasette's description of the file")


def _extract(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings
    from reports.extract import describe, extract
    from warehouse.engine import reading

    settings = load_settings(options.settings)
    out = output(options, settings, options.out)
    with reading(steps.warehouse(settings)) as conn:
        counts = extract(conn, out, options.format, options.year)
    for name, count in counts.items():
        print(f"{name}: {count:,}")
    if options.describe:
        describe(output(options, settings, options.describe), options.out.stem, settings.name)
    return 0
