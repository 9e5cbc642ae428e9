"""`jejak`: the pipeline from the command line. Tables go to stdout, the log to stderr; exit status 0 means success."""

import argparse
import csv
import getpass
import json
import logging
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select

from pipeline import steps
from pipeline.configure import load_settings
from pipeline.clock import utc_now
from pipeline.fetch import COUNTS
from pipeline.records import LOG_FORMAT, LOG_TIME
from pipeline.registry import SOURCES
from reports import evaluate
from reports.changes import changed_processes, last_run
from reports.health import health
from reports.status import status as report_status
from reports.trace import printed, traced
from schemas import ocds
from schemas.errors import JejakError, RowError, SettingsError
from schemas.settings import Settings
from transforms.linking import RULES
from transforms.merge import versioned
from transforms.parties import SCRUBBED, scrub
from transforms.quality import check
from warehouse import tables as t
from warehouse.engine import reading, writing
from warehouse.export import export, export_parquet
from warehouse.load import insert_rows, key_set
from warehouse.roles import grant_analyst

log = logging.getLogger("jejak")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 on success, 1 when it failed (the reason is on stderr), 2 for a wrong call."""
    options = _parser().parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=LOG_FORMAT, datefmt=LOG_TIME)
    try:
        command: Callable[[argparse.Namespace], int] = options.run
        return command(options)
    except JejakError as error:
        print(f"jejak: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0
    except OSError as error:
        print(f"jejak: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("jejak: stopped; run the same command again and it goes on where it was", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--settings", metavar="FILE", help="settings file (TOML); else JEJAK_SETTINGS")
    parser = argparse.ArgumentParser(
        prog="jejak", description="Follow public money from plan to payment: source systems to OCDS records."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, parents=[common], help=text, description=text)
        command.set_defaults(run=run)
        return command

    sync = add("sync", _sync, "fetch from the sources and build the records that changed")
    names = ", ".join(SOURCES)
    sync.add_argument("sources", nargs="*", metavar="SOURCE", help=f"{names}; all configured ones by default")
    sync.add_argument("--year", type=int, action="append", help="fiscal year instead of those in the settings")
    sync.add_argument("--no-build", action="store_true", help="only fetch; `jejak build` makes the records later")
    sync.add_argument("--dry-run", action="store_true", help="fetch and tell what would change; write nothing")
    add("build", _build, "build the records that earlier fetches left pending")
    status = add("status", _status, "what the last sync did, and the records there are")
    status.add_argument("--json", action="store_true")
    changes = add("changes", _changes, "the processes whose records a run made new, changed or removed")
    changes.add_argument("name", nargs="?", metavar="RUN", help="by default the last that read or built")
    changes.add_argument("--json", action="store_true")
    show = add("show", _show, "one process and its family, by OCID or by a source's own code")
    show.add_argument("code", metavar="OCID|kd_rup|kd_tender")
    show.add_argument("--json", action="store_true", help="the compiled releases")
    show.add_argument("--versioned", action="store_true", help="the versioned releases, as JSON")
    trace = add("trace", _trace, "one process from proposal to progress, each step with the system that tells it")
    trace.add_argument("code", nargs="?", metavar="OCID|kd_rup|kd_tender", help="by default one that has all its steps")
    _add_links(commands, common)
    rejects = add("rejects", _rejects, "rows that could not be used, with the reason")
    rejects.add_argument("--source", choices=SOURCES)
    rejects.add_argument("--json", action="store_true")
    retry = add("retry", _retry, "try rejected rows again with today's code")
    retry.add_argument("--source", choices=SOURCES)
    rebuild = add("rebuild", _rebuild, "derive releases again with today's mappings; what they no longer say is voided")
    rebuild.add_argument("ocids", nargs="*", metavar="OCID", help="processes; all by default")
    health = add("health", _health, "whether each source is read as it should be, and what to do where not")
    health.add_argument("--json", action="store_true")
    prune = add("prune", _prune, "delete old versions of rows that no release needs (keep_versions_days)")
    prune.add_argument("--dry-run", action="store_true", help="only count them")
    validate = add("validate", _validate, "check all releases and records, and list quality findings")
    validate.add_argument("--schema", metavar="FILE", help="also check against this JSON Schema of a release")
    validate.add_argument("--findings", action="store_true", help="list every finding, not only their number")
    exporting = add("export", _export, "write releases, records and their source rows as JSON Lines")
    exporting.add_argument("--out", required=True, metavar="DIR", type=Path)
    exporting.add_argument("--parquet", action="store_true", help="also the star tables, as Parquet")
    identity = add("identity", _identity, "write or read the crosswalk from source codes to OCIDs")
    identity.add_argument("direction", choices=("export", "import"))
    identity.add_argument("file", metavar="FILE.csv", type=Path)
    migrate = add("migrate", _migrate, "create the warehouse or bring it to this version's tables")
    migrate.add_argument("--analyst", metavar="ROLE", help="let this role of PostgreSQL read results, no source rows")
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
    return parser


def _add_links(commands: Any, common: argparse.ArgumentParser) -> None:
    text = "what joins the systems: list, look at and decide links, measure their quality"
    actions = commands.add_parser("links", help=text, description=text).add_subparsers(
        title="actions", required=True, metavar="ACTION"
    )

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        action: argparse.ArgumentParser = actions.add_parser(name, parents=[common], help=text, description=text)
        action.set_defaults(run=run)
        return action

    listing = add("list", _links_list, "links, the ones that wait for a decision by default")
    listing.add_argument("--status", choices=("auto", "pending", "confirmed", "rejected", "all"), default="pending")
    listing.add_argument("--rule", choices=[name for name in RULES if name != "rup-package"])
    listing.add_argument("--json", action="store_true")
    show = add("show", _links_show, "one link: both sides as their systems tell them, and why they may belong together")
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


def _sync(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings)
    chosen = options.sources or steps.sources_of(settings)
    plan = steps.plan_of(settings, chosen, options.year)
    if options.dry_run:
        return _preview(settings, plan)
    run_id = steps.start_run(settings, "sync")
    failed: list[str] = []
    missing = {source for source, _, _ in plan}
    try:
        for result in steps.sync_services(settings, plan, run_id):
            if result["status"] == "failed":
                failed.append(f"{result['service']} {result['scope']}")
            if result["status"] != "absent":
                missing.discard(result["source"])
        for source in sorted(missing):
            log.warning("the folder holds no list of %s at all; look at JEJAK_DUMPS or its folder", source)
        if missing == set(chosen):
            failed += sorted(missing)
        # All is read: whoever builds now, this run or another, may place its rows.
        steps.finish_run(settings, run_id, f"failed: {', '.join(failed)}" if failed else None)
        if not options.no_build:
            steps.build_records(settings, run_id)
    except BaseException as error:
        steps.finish_run(settings, run_id, steps.told(error))
        raise
    _print_status(report_status(settings))
    if failed:
        others = "" if len(failed) >= len(plan) else ". The others are in, and nothing was lost"
        print(f"jejak: failed: {', '.join(failed)}{others}", file=sys.stderr)
    return 1 if failed else 0


def _preview(settings: Settings, plan: list[tuple[str, str, str]]) -> int:
    found = [steps.preview_service(settings, source, service, scope) for source, service, scope in plan]
    for each in found:
        each["service"] += f" {each['scope']}"
    _print_services(found)
    for each in found:
        for name, examples in each["examples"].items():
            if examples:
                print(f"  {each['service']}: {name} {', '.join(examples)}")
    print("\nNothing was written: this is what a sync would do now.")
    failed = any(each["status"] == "failed" for each in found)
    return 1 if failed or all(each["status"] == "absent" for each in found) else 0


def _build(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings)
    with steps.recorded(settings, "build") as run_id:
        counts = steps.build_records(settings, run_id)
    print(", ".join(f"{name} {count}" for name, count in counts.items()))
    return 0


def _status(options: argparse.Namespace) -> int:
    status = report_status(load_settings(options.settings))
    if options.json:
        services = [{name: entry[name] for name in ("source", "service", *COUNTS)} for entry in status["services"]]
        print(json.dumps({"services": services, "records": status["records"]}))
    else:
        _print_status(status)
    return 0


def _print_status(status: dict[str, Any]) -> None:
    services = status["services"]
    if not services:
        print("Nothing has been synced yet: run `jejak sync`.")
        return
    _print_services(services)
    stages = ", ".join(f"{count:,} with {stage}" for stage, count in status["stages"].items())
    print(f"\nRecords: {status['records']['total']:,} ({status['records']['built']:,} built last); {stages}.")
    joined = status["links"]
    if any(joined.values()):
        waiting = f"; {joined['pending']:,} wait for a decision (`jejak links list`)" if joined["pending"] else ""
        print(f"Links: {joined['standing']:,} between systems{waiting}.")
    if status["rejects"]:
        print(f"Rejects: {status['rejects']:,}; see `jejak rejects`.")
    if status["waiting"]:
        print(f"Waiting: {status['waiting']:,} rows whose process can't be told yet.")


def _print_services(services: list[dict[str, Any]]) -> None:
    width = max(len(entry["service"]) for entry in services)
    print(f"{'source':11}{'service':{width + 2}}" + "".join(f"{name:>10}" for name in COUNTS))
    for entry in services:
        note = "" if entry["status"] == "success" else f"  {entry['status'].upper()}"
        counts = "".join(f"{entry[name]:>10,}" for name in COUNTS)
        print(f"{entry['source']:11}{entry['service']:{width + 2}}{counts}{note}")
    for source in dict.fromkeys(entry["source"] for entry in services):
        totals = [sum(entry[name] for entry in services if entry["source"] == source) for name in COUNTS]
        print(f"{source:11}{'all':{width + 2}}" + "".join(f"{total:>10,}" for total in totals))
    for message in dict.fromkeys(entry["message"] for entry in services if entry["message"]):
        told = [entry["service"] for entry in services if entry["message"] == message]
        print(f"  {told[0]}{f' and {len(told) - 1} more' if len(told) > 1 else ''}: {message}")


def _changes(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings)
    run_id = options.name or last_run(settings)
    found = changed_processes(settings, run_id)
    if options.json:
        print(json.dumps({"run": run_id, **found}))
        return 0
    if run_id is None:
        print("Nothing has been read or built yet: run `jejak sync`.")
        return 0
    print(f"{run_id}: {', '.join(f'{len(ocids):,} {change}' for change, ocids in found.items())}.")
    columns = t.contracting_process.c
    ocids = [ocid for each in found.values() for ocid in each]
    with reading(steps.warehouse(settings)) as conn:
        query = select(columns.ocid, columns.title).where(columns.ocid.in_(key_set(conn, ocids)))
        titles = {row.ocid: row.title for row in conn.execute(query)}
    width = max(map(len, ocids), default=0)
    for change, ocids in found.items():
        for ocid in ocids:
            print(f"{ocid:{width}}  {change:<8} {titles.get(ocid) or ''}".rstrip())
    if "waiting" in found and steps.has_pending(settings):
        print("Rows wait for a build: `jejak build` makes their records.")
    return 0


def _show(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings)
    with reading(steps.warehouse(settings)) as conn:
        ocids = (
            conn.execute(
                select(t.identity.c.ocid)
                .where(or_(t.identity.c.key == options.code, t.identity.c.ocid == options.code))
                .distinct()
                .order_by(t.identity.c.ocid)
            )
            .scalars()
            .all()
        )
        if not ocids:
            raise SettingsError(f"no process has the code {options.code}; `jejak status` tells what has been synced")
        if options.versioned:
            for ocid in ocids:
                bodies = (
                    conn.execute(
                        select(t.release.c.body)
                        .where(t.release.c.ocid == ocid, t.release.c.voided_at.is_(None))
                        .order_by(t.release.c.date, t.release.c.position)
                    )
                    .scalars()
                    .all()
                )
                if bodies:
                    print(json.dumps(versioned(bodies), indent=2, ensure_ascii=False))
            return 0
        records = {
            row.ocid: row.compiled
            for row in conn.execute(select(t.record.c.ocid, t.record.c.compiled).where(t.record.c.ocid.in_(ocids)))
        }
        if options.json:
            for record in records.values():
                print(json.dumps(record, indent=2, ensure_ascii=False))
            return 0
        family = select(t.process.c.family).where(t.process.c.ocid.in_(ocids))
        relatives = (
            conn.execute(
                select(t.contracting_process, t.record.c.releases)
                .join(t.record, t.record.c.ocid == t.contracting_process.c.ocid)
                .where(t.contracting_process.c.family.in_(family))
                .order_by(t.contracting_process.c.ocid)
            )
            .mappings()
            .all()
        )
        for row in relatives:
            if row["ocid"] in records:
                _print_process(dict(row), records[row["ocid"]])
        others = [row for row in relatives if row["ocid"] not in records]
        if others:
            print("\nOf the same family:")
            for row in others:
                print(f"  {row['ocid']}  {row['title'] or ''}")
        for ocid in set(ocids) - records.keys():
            print(f"{ocid}: opened, but nothing has been told of it yet")
    return 0


def _print_process(row: dict[str, Any], record: dict[str, Any]) -> None:
    print(f"\n{row['ocid']}  {row['title'] or ''}")
    print(f"  office          {row['buyer_name'] or '-'}")
    print(f"  method          {row['method_details'] or row['method'] or '-'} ({row['tender_status'] or '-'})")
    for label, name in (
        ("planned", "planned_amount"),
        ("tender value", "tender_value"),
        ("awarded", "awarded_amount"),
        ("contracted", "contracted_amount"),
        ("paid", "paid_amount"),
    ):
        if row[name] is not None:
            print(f"  {label:15} Rp {row[name]:,.0f}")
    for award in record.get("awards", []):
        suppliers = ", ".join(s.get("name") or s["id"] for s in award.get("suppliers", [])) or "-"
        print(f"  award           {award['id']} {award.get('status', '')}: {suppliers}")
    for contract in record.get("contracts", []):
        signed = contract.get("dateSigned", "-")[:10]
        print(f"  contract        {contract['id']} {contract.get('status', '')}, signed {signed}")
    for related in record.get("relatedProcesses", []):
        print(f"  related         {related['identifier']} ({', '.join(related['relationship'])})")
    print(f"  releases        {row['releases']}, the last of {row['updated_at']}")


def _trace(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings)
    with reading(steps.warehouse(settings)) as conn:
        record, told = traced(conn, options.code)
    print("\n".join(printed(record, told)))
    return 0


def _links_list(options: argparse.Namespace) -> int:
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
    link = steps.link_of(load_settings(options.settings), options.link)
    print(f"{link['id']}  {link['rule']}, {link['status']}, confidence {link['confidence']:.3f} by {link['by']}")
    if link["decided_at"]:
        print(f"  {link['status']} by {link['decided_by']} at {link['decided_at']}: {link['note'] or '(no note)'}")
    names = [name for name in link["from"] if link["from"][name] or link["to"][name]]
    for name in names:
        print(f"  {name:<12} {link['from'][name] or '-'!s:<60.60} | {link['to'][name] or '-'}")
    return 0


def _links_decide(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings)
    who = options.by or getpass.getuser()
    for row in steps.decide(settings, options.links, options.status, who, options.note):
        print(f"{row.id}: {row.status}, {row.from_kind} {row.from_code} -> {row.to_kind} {row.to_code}")
    with steps.recorded(settings, "links") as run_id:
        counts = steps.build_records(settings, run_id)
    print(f"{counts['built']:,} records built again.")
    return 0


def _links_evaluate(options: argparse.Namespace) -> int:
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


def _rejects(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings)
    columns = t.reject.c
    query = select(
        columns.id, columns.source, columns.service, columns.scope, columns.key, columns.reason, columns.rejected_at
    ).where(columns.resolved_at.is_(None))
    if options.source:
        query = query.where(columns.source == options.source)
    with reading(steps.warehouse(settings)) as conn:
        # A key is made of what somebody typed.
        rows = [
            {**row, "key": row["key"] and (scrub(row["key"]) or SCRUBBED)}
            for row in conn.execute(query.order_by(columns.id)).mappings()
        ]
    if options.json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    for row in rows:
        print(f"{row['id']}  {row['service']} {row['scope']} {row['key'] or '(no key)'}: {row['reason']}")
    print(f"{len(rows)} open rejects. The rows themselves are in the table reject (they may hold personal data).")
    return 0


def _retry(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings)
    with steps.recorded(settings, "retry") as run_id:
        counts = steps.retry(settings, run_id, options.source)
    print(", ".join(f"{name} {count}" for name, count in counts.items()))
    return 0


def _rebuild(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings)
    with steps.recorded(settings, "rebuild") as run_id:
        steps.rederive(settings, options.ocids or None)
        counts = steps.build_records(settings, run_id)
    print(", ".join(f"{name} {count}" for name, count in counts.items()))
    return 0


def _health(options: argparse.Namespace) -> int:
    found = health(load_settings(options.settings))
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for each in found:
            _print_health(each)
    return 0 if all(each["state"] == "ok" for each in found) else 1


def _print_health(health: dict[str, Any]) -> None:
    fresh = f"fresh as of {health['last_success']}" if health["last_success"] else "never read whole"
    print(
        f"{health['source']:11}{health['state']:9}{health['rows']:>10,} rows, {health['expected']:,} expected; {fresh}"
    )
    for each in health["services"]:
        place = f"{each['service']} {each['scope']}"
        if each["status"] == "failed":
            print(f"  {place}: {each['message']}")
        elif each["status"] == "never" and health["state"] != "never":
            print(f"  {place}: not read yet")
    if health["new_fields"]:
        print(f"  new fields: {', '.join(health['new_fields'])}")
    for name, text in (("unknown_codes", "new unknown codes"), ("rejects", "rows that could not be used")):
        if health[name]:
            print(f"  {text}: {health[name]:,}")
    if health["advice"]:
        print(f"  {health['advice']}")


def _prune(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings)
    if options.dry_run:
        counts = steps.prune_versions(settings, None)
    else:
        with steps.recorded(settings, "prune") as run_id:
            counts = steps.prune_versions(settings, run_id)
    print(", ".join(f"{name} {count}" for name, count in counts.items()))
    return 0


def _validate(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings)
    schema_errors = _schema_check(options.schema)
    checked = {"releases": 0, "compiled": 0}
    invalid: list[str] = []
    found: dict[str, int] = {}
    with reading(steps.warehouse(settings)) as conn:
        bodies = conn.execution_options(yield_per=500).execute(
            select(t.release.c.body).where(t.release.c.voided_at.is_(None))
        )
        for (body,) in bodies:
            checked["releases"] += 1
            invalid += _faults(ocds.validate_release, body, schema_errors)
        records = conn.execution_options(yield_per=500).execute(select(t.record.c.compiled))
        for (record,) in records:
            checked["compiled"] += 1
            invalid += _faults(ocds.validate_compiled_release, record, schema_errors)
            for finding in check(record):
                found[finding.code] = found.get(finding.code, 0) + 1
                if options.findings:
                    print(f"{record['ocid']} {finding.code} {finding.path}: {finding.message}")
    print(
        f"{checked['releases']:,} releases, {checked['compiled']:,} compiled releases checked; {len(invalid)} invalid."
    )
    for fault in invalid[:20]:
        print(f"  {fault}")
    for code, count in sorted(found.items(), key=lambda item: -item[1]):
        print(f"  quality: {code} {count:,}")
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


def _export(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings)
    with reading(steps.warehouse(settings)) as conn:
        package = ocds.package(
            uri=settings.publisher_uri or f"urn:jejak:{settings.kd_klpd}",
            publisher=settings.name,
            published_date=utc_now(),
            publisher_uri=settings.publisher_uri,
            license=settings.license,
        )
        counts = export(conn, options.out, package=package)
        if options.parquet:
            counts.update(export_parquet(conn, options.out))
    # To be published beside the packages, at the address that these declare.
    for name, content in ocds.extension_files().items():
        (options.out / name).parent.mkdir(parents=True, exist_ok=True)
        (options.out / name).write_bytes(content)
    for name, count in counts.items():
        print(f"{options.out / name}: {count:,}")
    return 0


def _identity(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings)
    if options.direction == "export":
        with reading(steps.warehouse(settings)) as conn, options.file.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("kind", "key", "ocid"))
            rows = conn.execute(
                select(t.identity.c.kind, t.identity.c.key, t.identity.c.ocid).order_by(
                    t.identity.c.kind, t.identity.c.key
                )
            )
            codes = rows.all()
            writer.writerows(codes)
        print(f"{options.file}: {len(codes):,} codes")
        return 0
    with options.file.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if not {"kind", "key", "ocid"} <= set(reader.fieldnames or ()):
            raise SettingsError(f"{options.file} is no crosswalk: its first line must be kind,key,ocid")
        given = {(row["kind"], row["key"]): row["ocid"] for row in reader}
    with steps.recorded(settings, "identity import") as run_id, writing(steps.warehouse(settings)) as conn:
        known = {(row.kind, row.key): row.ocid for row in conn.execute(select(t.identity))}
        others = [code for code, ocid in given.items() if known.get(code, ocid) != ocid]
        if others:
            raise SettingsError(
                f"{len(others)} codes already have another OCID, the first being {' '.join(others[0])}: an OCID is "
                "never rewritten. Nothing was imported; import into a warehouse that has not minted them yet"
            )
        new = [
            {"kind": kind, "key": key, "ocid": ocid, "run_id": run_id}
            for (kind, key), ocid in sorted(given.items())
            if (kind, key) not in known
        ]
        insert_rows(conn, t.identity, new)
    print(f"{len(new):,} codes imported, {len(given) - len(new):,} were known")
    return 0


def _migrate(options: argparse.Namespace) -> int:
    settings = load_settings(options.settings)
    engine = steps.warehouse(settings)
    print("The warehouse is at this version's tables.")
    if options.analyst:
        grant_analyst(engine, options.analyst)
        print(f"Role {options.analyst} reads its results.")
    return 0


def _simulate(options: argparse.Namespace) -> int:
    from simulator.command import run  # only here: nothing else of the pipeline knows the simulator

    return run(options)


if __name__ == "__main__":
    sys.exit(main())
