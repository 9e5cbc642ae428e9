"""Commands that show what the warehouse holds: status, changes, health, show, trace, rejects."""

from __future__ import annotations

import argparse
import json
from typing import Any

from commands.parsing import Add, source_name
from schemas.errors import SettingsError


def add_commands(add: Add) -> None:
    """Add the commands of this file to the parser."""
    status = add("status", _status, "what the last sync did, and the records there are")
    status.add_argument("--json", action="store_true")
    changes = add("changes", _changes, "the processes whose records a run made new, changed or removed")
    changes.add_argument("name", nargs="?", metavar="RUN", help="by default the last that read or built")
    changes.add_argument("--json", action="store_true")
    health = add("health", _health, "whether each source is read as it should be, and what to do where not")
    health.add_argument("--json", action="store_true")
    show = add("show", _show, "one process and its family, by OCID or by a source's own code")
    show.add_argument("code", metavar="OCID|kd_rup|kd_tender")
    show.add_argument("--json", action="store_true", help="the compiled releases")
    show.add_argument("--versioned", action="store_true", help="the versioned releases, as JSON")
    trace = add("trace", _trace, "one process from proposal to progress, each step with the systems it is known from")
    trace.add_argument("code", nargs="?", metavar="OCID|kd_rup|kd_tender", help="by default one that has all its steps")
    rejects = add("rejects", _rejects, "rows that could not be used, with the reason")
    rejects.add_argument("--source", type=source_name, help="only rows of this source")
    rejects.add_argument("--json", action="store_true")


def _status(options: argparse.Namespace) -> int:
    from pipeline.configure import load_settings
    from pipeline.fetch import COUNTS
    from reports.status import status

    found = status(load_settings(options.settings))
    if options.json:
        services = [{name: entry[name] for name in ("source", "service", *COUNTS)} for entry in found["services"]]
        print(json.dumps({"services": services, "records": found["records"]}))
    else:
        print_status(found)
    return 0


def print_status(status: dict[str, Any]) -> None:
    """Print what `reports.status.status` returns."""
    services = status["services"]
    if not services:
        print("Nothing has been synced yet: run `jejak sync`.")
        return
    print_services(services)
    stages = ", ".join(f"{count:,} with {stage}" for stage, count in status["stages"].items())
    print(f"\nRecords: {status['records']['total']:,} ({status['records']['built']:,} built last); {stages}.")
    joined = status["links"]
    if any(joined.values()):
        waiting = f"; {joined['pending']:,} wait for a decision (`jejak links list`)" if joined["pending"] else ""
        print(f"Links: {joined['standing']:,} between systems{waiting}.")
    if status["rejects"]:
        print(f"Rejects: {status['rejects']:,}; see `jejak rejects`.")
    if status["waiting"]:
        print(f"Waiting: {status['waiting']:,} rows whose process isn't known yet.")


def print_services(services: list[dict[str, Any]]) -> None:
    """Print the counts of services as a table, with the sums of each source and why services failed."""
    from pipeline.fetch import COUNTS

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
        names = [entry["service"] for entry in services if entry["message"] == message]
        print(f"  {names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {message}")


def _changes(options: argparse.Namespace) -> int:
    from sqlalchemy import select

    from pipeline import steps
    from pipeline.configure import load_settings
    from reports.changes import changed_processes, last_run
    from warehouse import tables as t
    from warehouse.engine import reading
    from warehouse.load import key_set

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


def _health(options: argparse.Namespace) -> int:
    from pipeline.configure import load_settings
    from reports.health import health

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


def _show(options: argparse.Namespace) -> int:
    from sqlalchemy import or_, select

    from pipeline import steps
    from pipeline.configure import load_settings
    from transforms.merge import versioned
    from warehouse import tables as t
    from warehouse.engine import reading

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
            print(f"{ocid}: opened, but it has no record yet")
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
    from pipeline import steps
    from pipeline.configure import load_settings
    from reports.trace import printed, traced
    from warehouse.engine import reading

    settings = load_settings(options.settings)
    with reading(steps.warehouse(settings)) as conn:
        record, found = traced(conn, options.code)
    print("\n".join(printed(record, found)))
    return 0


def _rejects(options: argparse.Namespace) -> int:
    from sqlalchemy import select

    from pipeline import steps
    from pipeline.configure import load_settings
    from transforms.parties import SCRUBBED, scrub
    from warehouse import tables as t
    from warehouse.engine import reading

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
