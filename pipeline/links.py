"""Links between systems that share no key: evidence kept up to date, links of a fiscal year found anew, decisions kept.

Links are a function of what the rows of a year say today, of the operators' decisions and of the thresholds, never of
the order in which things came: all of a year is linked again when something in it changed, from the evidence alone.
"""

import hashlib
import logging
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, or_, select, update

from pipeline.fetch import utc_now
from pipeline.registry import SERVICES
from schemas.errors import SettingsError
from schemas.settings import Settings
from transforms.evidence import Evidence, Link, from_text, to_text, united
from transforms.identity import Code, canonical
from transforms.linking import RULES, links
from transforms.parties import office_party, scrub
from warehouse import tables as t
from warehouse.engine import writing
from warehouse.load import delete_by, key_set, upsert_rows

log = logging.getLogger("jejak.links")

LINKED_KINDS = {service.kind: source for source, service in SERVICES.values() if service.linked and service.kind}
"""Kinds of the subjects that links join to processes, and the source that tells of each."""

STANDING = ("auto", "confirmed")


def link_id(rule: str, source: Code, target: Code) -> str:
    """The name of a link, the same in every run: what an operator types."""
    return hashlib.sha256("\n".join((rule, *source, *target)).encode()).hexdigest()[:12]


def note_evidence(conn: Connection, said: Iterable[tuple[Mapping[str, Any], list[Evidence]]]) -> None:
    """Keep what rows say of whom they belong to; `said` pairs the place of a row (source, service, scope, key) with its
    evidence. Subjects of whom something else is said than before are to be linked again."""
    rows = {}
    for place, found in said:
        for number, evidence in enumerate(found):
            key = place["key"] if number == 0 else f"{place['key']}#{number}"
            kind, code = evidence.subject
            rows[place["source"], place["service"], place["scope"], key] = {
                **place,
                "key": key,
                "kind": kind,
                "code": code,
                "year": evidence.year or (int(place["scope"]) if place["scope"].isdecimal() else None),
                "says": to_text(evidence),
            }
    columns = t.evidence.c
    known = {
        (row.source, row.service, row.scope, row.key): row.says
        for row in conn.execute(select(t.evidence).where(columns.key.in_(key_set(conn, {key for *_, key in rows}))))
    }
    fresh = [row for place, row in rows.items() if known.get(place) != row["says"]]
    upsert_rows(conn, t.evidence, fresh)
    ask(conn, {((row["kind"], row["code"]), row["year"]) for row in fresh})


def ask(conn: Connection, subjects: Iterable[tuple[Code, int | None]]) -> None:
    """Ask for the links of these (subject, fiscal year) to be looked at again."""
    rows = [{"kind": kind, "code": code, "year": year or 0} for (kind, code), year in sorted(subjects, key=str)]
    upsert_rows(conn, t.pending_link, rows)


def demand(conn: Connection, ocids: Iterable[str]) -> None:
    """Ask for the releases of these processes to be derived again."""
    token = secrets.token_hex(8)
    upsert_rows(conn, t.pending_derive, ({"ocid": ocid, "asked": token} for ocid in sorted(ocids)))


def link_pending(engine: Engine, settings: Settings, run_id: str) -> int:
    """Link again the years of the subjects in `pending_link`, and ask for the processes that gained, lost or heard of a
    linked subject to be derived. Returns how many links are new, gone or changed."""
    with writing(engine) as conn:
        pending = conn.execute(select(t.pending_link)).all()
        if not pending:
            return 0
        asked = {(row.kind, row.code) for row in pending}
        changed = 0
        touched: set[Code] = set()
        years = {row.year for row in pending}
        if 0 in years:
            # An office or a code of no year: it may matter to any.
            years |= set(conn.execute(select(t.evidence.c.year).distinct()).scalars()) - {None}
        for year in sorted(years - {0}):
            found, ends = _link_year(conn, settings, year, run_id)
            changed += found
            touched |= ends
        told = {code for code in asked if code[0] in LINKED_KINDS}
        standing = t.link.c
        for row in conn.execute(
            select(t.link).where(
                standing.from_code.in_(key_set(conn, {code for _, code in told})), standing.status.in_(STANDING)
            )
        ):
            if (row.from_kind, row.from_code) in told:
                touched.add((row.to_kind, row.to_code))
        _write_subjects(conn, told, settings.kd_klpd)
        demand(conn, _processes_of(conn, touched))
        conn.execute(t.pending_link.delete())
    log.info("linked %d subjects again, %d links changed", len(asked), changed)
    return changed


def _link_year(conn: Connection, settings: Settings, year: int, run_id: str) -> tuple[int, set[Code]]:
    """Bring the links of one year to what follows from its evidence; how many changed, and their processes' codes."""
    columns = t.link.c
    # Offices are the same in every year: a link of theirs stands under the year that first had it.
    stored = {
        row.id: row for row in conn.execute(select(t.link).where(or_(columns.year == year, columns.rule == "office")))
    }
    decided = {
        (row.rule, (row.from_kind, row.from_code), (row.to_kind, row.to_code)): row.status == "confirmed"
        for row in stored.values()
        if row.decided_at is not None
    }
    older = {(row.kind, row.code): (row.kind, row.older) for row in conn.execute(select(t.rup_revision))}
    found = links(_subjects(conn, year), thresholds(settings), decided, canonical=lambda code: canonical(code, older))
    rows = {}
    for link in found:
        name = link_id(link.rule, link.source, link.target)
        before = stored.get(name)
        if before is None or before.decided_at is None:
            rows[name] = _row(name, link, before.year if before else year, settings, run_id)
    gone = [name for name, row in stored.items() if row.decided_at is None and name not in rows and row.year == year]
    fresh = [row for name, row in rows.items() if name not in stored or _differs(stored[name], row)]
    delete_by(conn, t.link, columns.id, gone)
    upsert_rows(conn, t.link, fresh)
    touched = {(row["to_kind"], row["to_code"]) for row in fresh}
    touched |= {(stored[name].to_kind, stored[name].to_code) for name in gone}
    return len(fresh) + len(gone), touched


def thresholds(settings: Settings) -> dict[str, tuple[float, float]]:
    """(accept, pending) of every rule: its own, or the settings'. Raises SettingsError for a rule that isn't there."""
    if unknown := sorted(settings.links.keys() - RULES.keys()):
        raise SettingsError(f"links.{unknown[0]} names no linking rule: there are {', '.join(RULES)}")
    return {
        name: (settings.links[name].accept, settings.links[name].pending)
        if name in settings.links
        else (rule.accept, rule.pending)
        for name, rule in RULES.items()
    }


def _row(name: str, link: Link, year: int, settings: Settings, run_id: str) -> dict[str, Any]:
    accept, _ = thresholds(settings)[link.rule]
    return {
        "id": name,
        "rule": link.rule,
        "from_kind": link.source[0],
        "from_code": link.source[1],
        "to_kind": link.target[0],
        "to_code": link.target[1],
        "year": year,
        "confidence": round(link.confidence, 3),
        "by": link.by,
        "status": "auto" if link.confidence >= accept else "pending",
        "decided_by": None,
        "decided_at": None,
        "note": None,
        "run_id": run_id,
    }


def _differs(before: Any, row: dict[str, Any]) -> bool:
    return any(getattr(before, name) != row[name] for name in ("confidence", "by", "status"))


def _subjects(conn: Connection, year: int) -> list[Evidence]:
    """What is said of each subject of a year, and of the offices, which have none."""
    columns = t.evidence.c
    said: dict[Code, list[Evidence]] = defaultdict(list)
    for row in conn.execute(
        select(t.evidence)
        .where(or_(columns.year == year, columns.year.is_(None)))
        .order_by(columns.source, columns.service, columns.scope, columns.key)
    ):
        said[row.kind, row.code].append(from_text((row.kind, row.code), row.year, row.says))
    return [united(parts) for parts in said.values()]


def _processes_of(conn: Connection, codes: set[Code]) -> set[str]:
    """The processes that purchases and plans belong to; all processes of a family carry its plans."""
    ocids = set()
    keys = key_set(conn, {code for _, code in codes})
    for table, column in ((t.identity, t.identity.c.key), (t.process_rup, t.process_rup.c.code)):
        rows = conn.execute(select(table.c.ocid, table.c.kind, column).where(column.in_(keys)))
        ocids |= {ocid for ocid, kind, code in rows if (kind, code) in codes}
    return ocids


def standing_links(conn: Connection, codes: Iterable[Code]) -> dict[Code, list[Code]]:
    """The linked subjects of purchases and plans, by the code of the latter."""
    wanted = set(codes)
    columns = t.link.c
    found: dict[Code, list[Code]] = defaultdict(list)
    for row in conn.execute(
        select(columns.from_kind, columns.from_code, columns.to_kind, columns.to_code)
        .where(columns.to_code.in_(key_set(conn, {code for _, code in wanted})), columns.status.in_(STANDING))
        .order_by(columns.from_kind, columns.from_code)
    ):
        if (row.to_kind, row.to_code) in wanted and row.from_kind in LINKED_KINDS:
            found[row.to_kind, row.to_code].append((row.from_kind, row.from_code))
    return found


def _write_subjects(conn: Connection, codes: set[Code], kd_klpd: str) -> None:
    """What analysts may read of linked subjects, joined to a process or not."""
    columns = t.link.c
    offices = {
        (row.from_kind, row.from_code): row.to_code
        for row in conn.execute(select(t.link).where(columns.rule == "office", columns.status.in_(STANDING)))
    }
    by_kind: dict[str, set[str]] = defaultdict(set)
    for kind, code in codes:
        by_kind[kind].add(code)
    rows = []
    for kind, names in sorted(by_kind.items()):
        columns, raw = t.evidence.c, t.raw_record.c
        keys = key_set(conn, names)
        present = set(
            conn.execute(select(raw.code).where(raw.kind == kind, raw.code.in_(keys), raw.current, ~raw.gone)).scalars()
        )
        said: dict[str, list[Evidence]] = defaultdict(list)
        for row in conn.execute(
            select(t.evidence)
            .where(columns.kind == kind, columns.code.in_(keys))
            .order_by(columns.source, columns.service, columns.scope, columns.key)
        ):
            said[row.code].append(from_text((kind, row.code), row.year, row.says))
        for code, parts in sorted(said.items()):
            evidence = united(parts)
            named = evidence.office or evidence.office_name or ""
            office = office_party(kd_klpd, offices.get((LINKED_KINDS[kind], named)), evidence.office_name)
            rows.append(_subject(evidence, parts, office or {}, gone=code not in present))
    upsert_rows(conn, t.subject, rows)


def _subject(evidence: Evidence, parts: list[Evidence], office: Mapping[str, object], *, gone: bool) -> dict[str, Any]:
    kind, code = evidence.subject
    amounts = [part.amounts[-1] for part in parts if part.amounts]
    # A budget line is the sum of its details; any other amount is replaced by the next (an addendum).
    amount = (sum(amounts) if kind == "anggaran" else amounts[-1]) if amounts else None
    return {
        "kind": kind,
        "code": code,
        "source": LINKED_KINDS[kind],
        "year": evidence.year,
        "office_id": office.get("id"),
        "office_name": office.get("name"),
        "title": scrub(next(iter(evidence.titles), None)),
        "amount": amount,
        "date": date.fromisoformat(min(evidence.dates)) if evidence.dates else None,
        "village": scrub(next(iter(evidence.villages), None)),
        "district": scrub(next(iter(evidence.districts), None)),
        "status": evidence.status,
        "number": scrub(next(iter(evidence.numbers), None)),
        "mak": next(iter(evidence.maks), None),
        "gone": gone,
    }


def decide(engine: Engine, name: str, status: str, who: str, note: str | None) -> Any:
    """Write down an operator's decision on a link (`confirmed` or `rejected`); it outlives every rerun. The year is
    linked again by the next build, since what is decided here frees or takes the place of other links.

    Returns the link's row. Raises SettingsError where no link has that name.
    """
    columns = t.link.c
    with writing(engine) as conn:
        row = conn.execute(select(t.link).where(columns.id == name)).one_or_none()
        if row is None:
            raise SettingsError(f"there is no link {name}; `jejak links list` shows those there are")
        conn.execute(
            update(t.link)
            .where(columns.id == name)
            .values(status=status, decided_by=who, decided_at=utc_now(), note=scrub(note))
        )
        ask(conn, [((row.from_kind, row.from_code), row.year)])
        demand(conn, _processes_of(conn, {(row.to_kind, row.to_code)}))
        return conn.execute(select(t.link).where(columns.id == name)).one()


def listed(conn: Connection, status: str | None, rule: str | None) -> list[dict[str, Any]]:
    """Links of a status and a rule (all, where None), the surest first, with what is said of both sides."""
    columns = t.link.c
    query = select(t.link).order_by(columns.rule, columns.confidence.desc(), columns.id)
    if status:
        query = query.where(columns.status == status)
    if rule:
        query = query.where(columns.rule == rule)
    rows = conn.execute(query).all()
    said = _described(conn, {(r.from_kind, r.from_code) for r in rows} | {(r.to_kind, r.to_code) for r in rows})
    return [_shown(row, said) for row in rows]


def shown(conn: Connection, name: str) -> dict[str, Any]:
    """One link, with what is said of both sides. Raises SettingsError where no link has that name."""
    row = conn.execute(select(t.link).where(t.link.c.id == name)).one_or_none()
    if row is None:
        raise SettingsError(f"there is no link {name}; `jejak links list` shows those there are")
    return _shown(row, _described(conn, {(row.from_kind, row.from_code), (row.to_kind, row.to_code)}))


def _shown(row: Any, said: Mapping[Code, dict[str, Any]]) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in ("id", "rule", "status", "confidence", "by")},
        **{name: getattr(row, name) for name in ("decided_by", "decided_at", "note")},
        "from": {"kind": row.from_kind, "code": row.from_code, **said[row.from_kind, row.from_code]},
        "to": {"kind": row.to_kind, "code": row.to_code, **said[row.to_kind, row.to_code]},
    }


def _described(conn: Connection, codes: set[Code]) -> dict[Code, dict[str, Any]]:
    """What may be shown of subjects: no tax numbers, texts scrubbed."""
    said: dict[Code, list[Evidence]] = {code: [] for code in codes}
    for row in conn.execute(
        select(t.evidence)
        .where(t.evidence.c.code.in_(key_set(conn, {code for _, code in codes})))
        .order_by(t.evidence.c.source, t.evidence.c.service, t.evidence.c.scope, t.evidence.c.key)
    ):
        if (row.kind, row.code) in said:
            said[row.kind, row.code].append(from_text((row.kind, row.code), row.year, row.says))
    return {code: _description(united([Evidence(code), *parts])) for code, parts in said.items()}


def _description(evidence: Evidence) -> dict[str, Any]:
    return {
        "title": scrub(next(iter(evidence.titles), None)),
        "office": scrub(evidence.office_name) or evidence.office,
        "year": evidence.year,
        "numbers": "; ".join(filter(None, map(scrub, evidence.numbers))),
        "suppliers": "; ".join(filter(None, map(scrub, evidence.suppliers))),
        "amounts": "; ".join(f"Rp {amount:,.0f}" for amount in evidence.amounts),
        "dates": "; ".join(evidence.dates),
        "place": "; ".join(filter(None, map(scrub, (*evidence.villages, *evidence.districts)))),
        "mak": "; ".join(evidence.maks),
        "kd_rup": "; ".join(code for _, code in evidence.rups),
    }
