"""Commands that check and write out what the warehouse holds: validate, publish, scan, export, identity."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.parsing import Add, csv_file, output
from schemas.errors import RowError, SettingsError

if TYPE_CHECKING:
    from schemas.settings import Settings


_SHOWN = 200
"""Findings of one rule that are listed; the table quality_finding has all."""


def add_commands(add: Add) -> None:
    """Add the commands of this file to the parser."""
    validate = add("validate", _validate, "check all releases and records, and list quality findings")
    validate.add_argument("--schema", metavar="FILE", help="also check against this JSON Schema of a release")
    validate.add_argument("--findings", action="store_true", help="list the findings too, 200 of each rule")
    validate.add_argument("--json", action="store_true")
    publishing = add("publish", _publish, "make the publication of all records: data, descriptions and pages")
    publishing.add_argument(
        "--out", required=True, metavar="DIR", type=Path, help="DIR/current is what is to be served"
    )
    publishing.add_argument("--year", type=int, action="append", default=[], help="only this fiscal year (repeatable)")
    publishing.add_argument(
        "--draft", action="store_true", help="also without licence, publisher, ...; marks every file"
    )
    publishing.add_argument("--versioned", action="store_true", help="with versioned releases in the record packages")
    scanning = add("scan", _scan, "check every file of a publication: its digest, and whether it holds personal data")
    scanning.add_argument("folder", metavar="DIR", type=Path)
    scanning.add_argument("--json", action="store_true")
    exporting = add("export", _export, "write releases, records and their source rows as JSON Lines")
    exporting.add_argument("--out", required=True, metavar="DIR", type=Path)
    identity = add("identity", _identity, "write or read the crosswalk from source codes to OCIDs")
    identity.add_argument("direction", choices=("export", "import"))
    identity.add_argument("file", metavar="FILE.csv", type=Path)


def _validate(options: argparse.Namespace) -> int:
    from sqlalchemy import select

    from pipeline import steps
    from pipeline.configure import load_settings
    from pipeline.progress import logged_progress
    from schemas import ocds
    from transforms.difference import living
    from transforms.quality import check
    from warehouse import tables as t
    from warehouse.engine import reading
    from warehouse.releases import releases_of

    settings = load_settings(options.settings)
    schema_errors = _schema_check(options.schema)
    checked = {"releases": 0, "compiled": 0}
    invalid: list[str] = []
    found: dict[str, int] = {}
    listed: list[dict[str, str]] = []
    progress = logged_progress("processes checked")
    with reading(steps.warehouse(settings)) as conn:
        ocids = conn.execute(select(t.record.c.ocid).order_by(t.record.c.ocid)).scalars().all()
        for start in range(0, len(ocids), 500):
            progress(start, 2 * len(ocids))
            for releases in releases_of(conn, ocids[start : start + 500]).values():
                checked["releases"] += len(releases)
                for body in releases:
                    invalid += _faults(ocds.validate_release, body, schema_errors)
        records = conn.execution_options(yield_per=500).execute(select(t.record.c.compiled, t.record.c.withdrawn))
        for compiled, withdrawn in records:
            checked["compiled"] += 1
            progress(len(ocids) + checked["compiled"], 2 * len(ocids))
            invalid += _faults(ocds.validate_compiled_release, compiled, schema_errors)
            record = {"ocid": compiled["ocid"], "date": compiled["date"], **living(compiled, withdrawn or ())}
            for finding in check(record):
                found[finding.code] = found.get(finding.code, 0) + 1
                if options.findings and found[finding.code] <= _SHOWN:
                    listed.append(
                        {"ocid": record["ocid"], "code": finding.code, "path": finding.path, "message": finding.message}
                    )
    if options.json:
        of_rules = {"findings": found} | ({"listed": listed} if options.findings else {})
        print(json.dumps({**checked, "invalid": invalid, **of_rules}, indent=2, ensure_ascii=False))
        return 1 if invalid else 0
    for each in listed:
        print(f"{each['ocid']} {each['code']} {each['path']}: {each['message']}")
    print(
        f"{checked['releases']:,} releases, {checked['compiled']:,} compiled releases checked; {len(invalid)} invalid."
    )
    for fault in invalid[:20]:
        print(f"  {fault}")
    for code, count in sorted(found.items(), key=lambda item: -item[1]):
        more = f", {count - _SHOWN:,} of them not shown" if options.findings and count > _SHOWN else ""
        print(f"  quality: {code} {count:,}{more}")
    return 1 if invalid else 0


def _schema_check(path: str | None) -> Callable[[dict[str, Any]], list[str]]:
    if path is None:
        return lambda body: []
    try:
        import jsonschema_rs  # a tool for checking, not needed to run
    except ImportError:
        raise SettingsError("--schema needs the package jsonschema-rs: install jejak[dev]") from None
    try:
        schema = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise SettingsError(f"{path} is no JSON ({error}); give the JSON Schema of a release") from None
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    return lambda body: [
        f"{body['id']} {'/'.join(map(str, e.instance_path))}: {type(e.kind).__name__}"
        for e in validator.iter_errors(body)
    ]


def _faults(
    gate: Callable[[dict[str, Any]], None], body: dict[str, Any], more: Callable[[dict[str, Any]], list[str]]
) -> list[str]:
    try:
        gate(body)
    except RowError as error:
        return [str(error), *more(body)]
    return more(body)


def _publish(options: argparse.Namespace) -> int:
    from pipeline.configure import load_settings
    from reports.publication.publish import publish

    settings = load_settings(options.settings)
    report = publish(settings, options.out, years=options.year, draft=options.draft, with_versions=options.versioned)
    for year, counts in report["years"].items():
        print(f"{year}: {counts['processes']:,} processes, {counts['releases']:,} releases")
    print(
        f"{report['files']:,} files in {report['folder']}. Since the last publication: {report['new']:,} releases of "
        f"new processes, {report['changed']:,} of known ones, {report['voided']:,} voided.\n"
        f"Open {report['folder']}/index.html in a browser."
    )
    return 0


def _scan(options: argparse.Namespace) -> int:
    from pipeline.configure import load_settings
    from reports.publication.files import wrong_files
    from reports.publication.publish import CURRENT
    from reports.publication.scan import personal_now, scan

    settings = load_settings(options.settings)
    current = options.folder / CURRENT
    folder = current.resolve() if current.is_dir() else options.folder
    try:
        wrong = wrong_files(folder)
    except (OSError, ValueError):
        raise SettingsError(f"{options.folder} holds no publication; `jejak publish --out DIR` makes one") from None
    found = list(scan(folder, personal_now(settings), settings))
    if options.json:
        places = [{"path": finding.path, "kind": finding.kind} for finding in found]
        print(json.dumps({"wrong": wrong, "personal": places}, indent=2, ensure_ascii=False))
        return 1 if wrong or found else 0
    for name in wrong:
        print(f"{name}: not as manifest.json says")
    for finding in found:
        print(f"{finding.path}: {finding.kind}")
    print(f"{len(wrong):,} files are not as the manifest says, {len(found):,} places may hold personal data.")
    return 1 if wrong or found else 0


def _export(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.clock import utc_now
    from pipeline.configure import load_settings
    from pipeline.progress import logged_progress
    from pipeline.registry import SERVICES
    from schemas import ocds
    from warehouse.engine import reading
    from warehouse.export import export

    settings = load_settings(options.settings)
    with reading(steps.warehouse(settings)) as conn:
        package = ocds.package(
            settings.site_url or f"urn:jejak:{settings.kd_klpd}", {"name": settings.name}, utc_now(), settings.site_url
        )
        counts = export(
            conn,
            options.out,
            package=package,
            sources={name: source for name, (source, _) in SERVICES.items()},
            # To be published beside the packages, at the address that these declare.
            beside=ocds.extension_files(),
            seen=logged_progress("processes written"),
        )
    for name, count in counts.items():
        print(f"{options.out / name}: {count:,}")
    return 0


def _identity(options: argparse.Namespace) -> int:
    from pipeline.configure import load_settings

    settings = load_settings(options.settings)
    if options.direction == "export":
        return _export_identity(settings, output(options, settings, options.file))
    return _import_identity(settings, options.file)


def _export_identity(settings: Settings, path: Path) -> int:
    from pipeline import steps
    from pipeline.crosswalk import to_csv
    from warehouse.engine import reading
    from warehouse.whole import replacing_file

    with (
        reading(steps.warehouse(settings)) as conn,
        replacing_file(path) as new,
        new.open("w", encoding="utf-8", newline="") as file,
    ):
        count = to_csv(conn, file)
    print(f"{path}: {count:,} codes")
    return 0


def _import_identity(settings: Settings, path: Path) -> int:
    from pipeline import steps
    from pipeline.crosswalk import from_csv, take_over
    from warehouse.engine import writing

    with csv_file(path) as file:
        given = from_csv(file)
    with steps.recorded(settings, "identity import") as run_id, writing(steps.warehouse(settings)) as conn:
        new = take_over(conn, given, run_id)
    print(f"{new:,} codes imported, {len(given) - new:,} were known")
    return 0
