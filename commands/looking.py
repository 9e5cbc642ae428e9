"""Commands that show what the warehouse holds: status, changes, health, waiting, show, why, trace, rejects."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from typing import Any

from commands.parsing import Add, local_day, source_name

NOTHING_CAME = "all lists were read, and none has a row: check kd_klpd, kd_lpse and fiscal_years in the settings"

_SHOWN = 5
"""Reasons of rejects that `health` names; `rejects` lists all."""


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
    show.add_argument("--json", action="store_true", help="the states as JSON: records without what is withdrawn")
    show.add_argument("--versioned", action="store_true", help="the versioned releases, as JSON")
    show.add_argument(
        "--as-of", metavar="DATE", type=local_day, help="the records at the end of a day (YYYY-MM-DD), as JSON"
    )
    show.add_argument("--why", metavar="PATH", help="which row gives a value, as `jejak why`")
    why = add("why", _why, "which row, service, run and moment gives a value of a record, and who gives another")
    why.add_argument("ocid", metavar="OCID")
    why.add_argument("path", metavar="PATH", help="names and ids, such as contracts/ID/value/amount")
    why.add_argument("--json", action="store_true")
    waiting = add("waiting", _waiting, "rows that belong to no record yet, since nobody has announced their process")
    waiting.add_argument("--json", action="store_true")
    trace = add("trace", _trace, "one process from proposal to progress, each step with the systems it is known from")
    trace.add_argument("code", nargs="?", metavar="OCID|kd_rup|kd_tender", help="by default the fullest one")
    rejects = add("rejects", _rejects, "rows that could not be used, with the reason")
    rejects.add_argument("--source", type=source_name, help="only rows of this source")
    rejects.add_argument("--json", action="store_true")


def _status(options: argparse.Namespace) -> int:
    from pipeline.configure import load_settings
    from reports.status import status

    settings = load_settings(options.settings)
    found = status(settings)
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print_status(found, settings.utc_offset)
    return 0


def print_status(status: dict[str, Any], utc_offset: str) -> None:
    """Print what `reports.status.status` returns, with times in the zone of that offset."""
    from pipeline.clock import shown

    services = status["services"]
    if not services:
        print(f"Nothing has been synced yet into {status['warehouse']}: run `jejak sync`.")
        return
    for source, read in status["sources"].items():
        when = f"read {shown(read['read_at'], utc_offset)}" if read["read_at"] else "is being read"
        years = ", ".join(read["scopes"])
        print(f"{source:11}{when}" + ("" if years == "all" else f", fiscal year{'s' * (',' in years)} {years}"))
    for source, read in status["sources"].items():
        if read["empty"]:
            print(f"{source:11}{NOTHING_CAME}")
    print()
    print_services(services)
    stages = ", ".join(f"{count:,} with {stage}" for stage, count in status["stages"].items())
    print(
        f"\nRecords: {status['records']['total']:,} ({status['records']['built']:,} built by the last sync); {stages}."
    )
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
    from pipeline.fetch import COUNTS, same_reason

    width = max(len(entry["service"]) for entry in services)
    print(f"{'source':11}{'service':{width + 2}}" + "".join(f"{name:>10}" for name in COUNTS))
    for entry in services:
        note = "" if entry["status"] == "success" else f"  {entry['status'].upper()}"
        counts = "".join(f"{entry[name]:>10,}" for name in COUNTS)
        print(f"{entry['source']:11}{entry['service']:{width + 2}}{counts}{note}")
    for source in dict.fromkeys(entry["source"] for entry in services):
        totals = [sum(entry[name] for entry in services if entry["source"] == source) for name in COUNTS]
        print(f"{source:11}{'all':{width + 2}}" + "".join(f"{total:>10,}" for total in totals))
    reasons: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in services:
        if entry["message"]:
            reasons.setdefault((entry["source"], same_reason(entry["message"], entry["service"])), []).append(entry)
    for entries in reasons.values():
        more = f" and {len(entries) - 1} more" if len(entries) > 1 else ""
        print(f"  {entries[0]['service']}{more}: {entries[0]['message']}")


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

    settings = load_settings(options.settings)
    found = health(settings)
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for each in found:
            _print_health(each, settings.utc_offset)
    return 0 if all(each["state"] == "ok" for each in found) else 1


def _print_health(health: dict[str, Any], utc_offset: str) -> None:
    from pipeline.clock import shown

    fresh = f"read whole {shown(health['last_success'], utc_offset)}" if health["last_success"] else "never read whole"
    if health["as_of"]:
        fresh += f", rows as of {health['as_of'][:10]}"
    print(
        f"{health['source']:11}{health['state']:9}{health['rows']:>10,} rows, {health['expected']:,} expected; {fresh}"
    )
    for each in health["services"]:
        place = f"{each['service']} {each['scope']}"
        if each["status"] == "failed":
            print(f"  {place}: {each['message']}")
        elif each["status"] == "never" and health["state"] != "never":
            print(f"  {place}: not read yet")
    if absent := [each["service"] for each in health["services"] if each["status"] == "absent"]:
        print(f"  not in its folder, or not offered: {', '.join(sorted(set(absent)))}")
    if health["new_fields"]:
        print(f"  new fields: {', '.join(health['new_fields'])}")
    if health["left_out"]:
        fields = ", ".join(f"{each['field']} (last in {each['rows']:,} rows)" for each in health["left_out"])
        print(f"  fields left out where they can't be read: {fields}")
    for each in health["emptied"]:
        place = f"{each['service']}.{each['field']}"
        shares = (
            f"filled in {each['now']} % of the {each['rows']:,} rows of {each['scope']}, usually in {each['before']} %"
        )
        print(f"  gone empty: {place}, {shares}")
    for each in health["words"]:
        print(f"  unknown word: {each['field']} {each['word']!r}, {each['rows']:,} rows")
    if health["rejects"]:
        print(f"  rows that could not be used: {health['rejects']:,}")
    for each in health["reasons"][:_SHOWN]:
        print(f"    {each['service']}, {each['rows']:,} rows: {each['reason']}")
    for each in health["waiting"]:
        print(f"  waiting: {each['service']} {each['scope']}, {each['rows']:,} rows of {each['codes']:,} codes")
    for each in health["sums"]:
        if each["broken"]:
            many = f"{each['broken']:,} of {each['of']:,}"
            print(f"  sums that don't hold: {each['sum']}, {many}, the first {each['example']}")
    if health["places"] and health["places"]["processes"]:
        found = health["places"]
        share = found["village"] / found["processes"]
        print(
            f"  places: {found['village']:,} of {found['processes']:,} processes name a village ({share:.0%}), "
            f"{found['district']:,} more a district"
        )
    if health["advice"]:
        print(f"  {health['advice']}")


def _show(options: argparse.Namespace) -> int:
    from sqlalchemy import select

    from pipeline import steps
    from pipeline.clock import shown
    from pipeline.configure import load_settings
    from reports.process import ocids_of, record_as_of, states_of, why
    from transforms.merge import versioned
    from warehouse import tables as t
    from warehouse.engine import reading
    from warehouse.releases import releases_of

    settings = load_settings(options.settings)
    with reading(steps.warehouse(settings)) as conn:
        ocids = ocids_of(conn, options.code)
        if options.why:
            for ocid in ocids:
                _print_why(why(conn, settings, ocid, options.why), settings.utc_offset)
            return 0
        if options.versioned or options.as_of:
            found = (
                [versioned(releases) for releases in releases_of(conn, ocids).values() if releases]
                if options.versioned
                else [record_as_of(conn, ocid, options.as_of) for ocid in ocids]
            )
            _print_json([each for each in found if each is not None])
            return 0
        states = states_of(conn, ocids)
        if options.json:
            _print_json(states.values())
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
        rowless = dict(
            conn.execute(
                select(t.record.c.ocid, t.record.c.rowless_since).where(
                    t.record.c.ocid.in_(ocids), t.record.c.rowless_since.is_not(None)
                )
            ).all()
        )
        for row in relatives:
            if row["ocid"] in states:
                _print_process(dict(row), states[row["ocid"]], settings.utc_offset)
        others = [row for row in relatives if row["ocid"] not in states]
        if others:
            print("\nOf the same family:")
            for row in others:
                print(f"  {row['ocid']}  {row['title'] or ''}")
        for ocid, since in rowless.items():
            print(
                f"{ocid}: no current row is about it since {shown(since, settings.utc_offset)}; `--as-of DATE` shows "
                "its record of before"
            )
        for ocid in set(ocids) - states.keys():
            print(f"{ocid}: opened, but it has no record yet; `jejak waiting` shows rows that wait")
    return 0


def _print_json(documents: Iterable[dict[str, Any]]) -> None:
    for document in documents:
        print(json.dumps(document, indent=2, ensure_ascii=False))


def _why(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings
    from reports.process import why
    from warehouse.engine import reading

    settings = load_settings(options.settings)
    with reading(steps.warehouse(settings)) as conn:
        found = why(conn, settings, options.ocid, options.path)
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _print_why(found, settings.utc_offset)
    return 0


def _print_why(found: dict[str, Any], utc_offset: str) -> None:
    from pipeline.clock import shown

    print(f"{found['ocid']}  {found['path']}")
    print(f"  value    {_short(found['value'])}{' (withdrawn)' if found['withdrawn'] else ''}")
    print(f"  right    {found['right']}")
    for row in found["rows"]:
        print(f"  row      {row['source']} {row['service']} {row['scope']} {row['key']}")
        print(f"           observed at {shown(row['observed_at'], utc_offset)}, taken over by run {row['run']}")
    for other in found["others"]:
        print(f"  other    {other['service']} gives {_short(other['value'])} ({other['right']})")
    if found["release"]:
        print(f"  release  {found['release']['id']} of {found['release']['date']}")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:100]}..."


def _waiting(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.clock import shown
    from pipeline.configure import load_settings
    from reports.waiting import waiting_rows
    from warehouse.engine import reading

    settings = load_settings(options.settings)
    with reading(steps.warehouse(settings)) as conn:
        rows = waiting_rows(conn)
    if options.json:
        print(json.dumps(rows))
        return 0
    for row in rows:
        amount = "" if row["amount"] is None else f"IDR {row['amount']:,.0f}, "
        print(
            f"{row['source']:11}{row['service']:<36}{row['scope']:<6}{row['rows']:>9,} rows of {row['codes']:,} codes, "
            f"{amount}since {shown(row['since'], settings.utc_offset)}"
        )
    print(f"{sum(row['rows'] for row in rows):,} rows wait for a row that announces their process.")
    return 0


def _print_process(row: dict[str, Any], record: dict[str, Any], utc_offset: str) -> None:
    from pipeline.clock import shown

    print(f"\n{row['ocid']}  {row['title'] or ''}")
    print(f"  office          {row['office_name'] or '-'}")
    print(f"  method          {row['method_details'] or row['method'] or '-'} ({row['tender_status'] or '-'})")
    for label, name in (
        ("planned", "planned_amount"),
        ("tender value", "tender_value"),
        ("awarded", "awarded_amount"),
        ("contracted", "contracted_amount"),
        ("certified", "certified_amount"),
        ("recorded", "recorded_amount"),
        ("disbursed", "disbursed_amount"),
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
    print(f"  releases        {row['releases']}; its newest row is of {shown(row['updated_at'], utc_offset)}")


def _trace(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings
    from reports.trace import printed, traced
    from warehouse.engine import reading

    settings = load_settings(options.settings)
    with reading(steps.warehouse(settings)) as conn:
        record, found = traced(conn, settings, options.code)
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
