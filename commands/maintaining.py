"""Commands that look after a warehouse, and the simulator: migrate, backup, restore, prune, void, simulate."""

import argparse
from pathlib import Path

from commands.parsing import Add, counted, local_day


def add_commands(add: Add) -> None:
    """Add the commands of this file to the parser."""
    add("migrate", _migrate, "create the warehouse or bring it to this version's tables, and PostgreSQL's two roles")
    backup = add("backup", _backup, "write the whole warehouse into one file; a sync may go on meanwhile")
    backup.add_argument("place", metavar="FILE|DIR", type=Path, help="a file (.zip), or a folder of backups")
    backup.add_argument("--keep", metavar="N", type=counted, help="keep the N newest of the folder, delete older ones")
    restore = add("restore", _restore, "make the warehouse that of a backup, on SQLite or PostgreSQL, whichever it was")
    restore.add_argument("file", metavar="FILE", type=Path)
    restore.add_argument("--force", action="store_true", help="replace a warehouse that has rows, or is newer")
    prune = add("prune", _prune, "delete replaced versions of rows older than keep_versions_days")
    prune.add_argument("--dry-run", action="store_true", help="only count them")
    void = add("void", _void, "void the releases that say a value, and publish anew what is true and was in them")
    void.add_argument("ocid", metavar="OCID")
    void.add_argument("path", metavar="PATH", help="names and ids, such as awards/ID/suppliers/ID/name")
    void.add_argument(
        "--as-of", metavar="DATE", type=local_day, help="the value that the record had at the end of a day (YYYY-MM-DD)"
    )
    void.add_argument("--reason", required=True, help="why; it is published with the ids of voided releases")
    void.add_argument("--erase", action="store_true", help="erase their bodies too (privacy); id and date stay")
    simulate = add("simulate", _simulate, "a fictional regency: serve it over HTTP or write it as a folder of dumps")
    simulate.add_argument("--packages", type=int, default=300)
    simulate.add_argument("--seed", type=int, default=1)
    simulate.add_argument("--year", type=int, default=2025)
    simulate.add_argument("--years", type=int, default=1, help="serve so many fiscal years, --year the last of them")
    simulate.add_argument("--days", type=int, default=0, help="let this many days go by first")
    simulate.add_argument("--noise", type=float, default=1.0, help="spelling, gaps and errors; 0 is none, 2 double")
    simulate.add_argument("--simda", metavar="URL", help="also write SIMDA's database there (SQLAlchemy URL)")
    where = simulate.add_mutually_exclusive_group(required=True)
    where.add_argument("--serve", metavar="HOST:PORT", help="serve as ISB and as INAPROC until stopped")
    where.add_argument("--out", metavar="DIR", type=Path, help="write dumps and the truth (truth.json)")


def _migrate(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings
    from warehouse.engine import writing
    from warehouse.roles import ANALYST, ETL, grant_roles

    engine = steps.warehouse(load_settings(options.settings))
    print("The warehouse is at this version's tables.")
    if engine.dialect.name == "postgresql":
        with writing(engine) as conn:
            missing = grant_roles(conn)
        for role, part in ((ANALYST, "reads its results, no source rows"), (ETL, "does what a night does")):
            print(
                f"There is no role {role}, and this login may not make it: let the server's administrator run "
                f"CREATE ROLE {role} NOLOGIN, then run `jejak migrate` again."
                if role in missing
                else f"Role {role} {part}."
            )
    return 0


def _backup(options: argparse.Namespace) -> int:
    from pipeline.backups import make_backup
    from pipeline.configure import load_settings

    path, rows, older = make_backup(load_settings(options.settings), options.place, options.keep)
    print(
        f"{path}: {rows:,} rows, {path.stat().st_size / 1e6:,.1f} MB. It holds personal data: guard it, and keep it on"
    )
    print("another machine. `jejak restore` makes a warehouse of it.")
    for each in older:
        print(f"{each}: deleted, there are newer ones.")
    return 0


def _restore(options: argparse.Namespace) -> int:
    from pipeline.backups import restore_backup
    from pipeline.configure import load_settings

    rows = restore_backup(load_settings(options.settings), options.file, force=options.force)
    print(f"{rows:,} rows restored, each table compared with the backup.")
    return 0


def _prune(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings

    settings = load_settings(options.settings)
    if options.dry_run:
        counts = steps.prune_versions(settings, None)
    else:
        with steps.recorded(settings, "prune") as run_id:
            counts = steps.prune_versions(settings, run_id)
    print(", ".join(f"{name} {count}" for name, count in counts.items()))
    return 0


def _void(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings

    settings = load_settings(options.settings)
    with steps.recorded(settings, "void") as run_id:
        names = steps.void_value(
            settings, options.ocid, options.path, options.reason, as_of=options.as_of, erase=options.erase
        )
        counts = steps.build_records(settings, run_id)
    for name in names:
        print(name)
    print(f"{len(names)} releases voided, {counts['built']} records built again.")
    return 0


def _simulate(options: argparse.Namespace) -> int:
    from simulator.command import run

    return run(options)
