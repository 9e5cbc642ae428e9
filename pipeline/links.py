"""Links between systems that share no key: evidence kept up to date, links of a fiscal year found anew, decisions kept.

Links are a function of what the rows of a year say today, of the operators' decisions and of the thresholds, never of
the order in which things came: all of a year is linked again when something in it changed, from the evidence alone.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, or_, select, update

from pipeline.clock import utc_now
from pipeline.queues import enqueue_processes as demand
from pipeline.registry import LINKED_KINDS
from schemas.errors import SettingsError
from schemas.settings import Settings
from transforms.evidence import Evidence, Link, from_text, to_text, united
from transforms.identity import SPLIT, Code, canonical
from transforms.linking import OFFICE, RULES, links
from transforms.parties import office_party, plain_name, scrub
from warehouse import tables as t
from warehouse.engine import writing
from warehouse.load import delete_by, key_set, upsert_rows

log = logging.getLogger("jejak.links")

STANDING = ("auto", "confirmed")

Place = tuple[str, str, str, str]  # a row's source, service, scope and key
_PLACE = ("source", "service", "scope", "key")
_SHOWN = ("id", "rule", "status", "confidence", "by", "decided_by", "decided_at", "note")


def link_id(rule: str, source: Code, target: Code) -> str:
    """The name of a link, the same in every run: what an operator types."""
    return hashlib.sha256("\n".join((rule, *source, *target)).encode()).hexdigest()[:12]


def note_evidence(conn: Connection, said: Iterable[tuple[Place, Evidence | None]]) -> None:
    """Keep what current rows say of whom they belong to, by their places; None for a row that is gone or says nothing.

    Subjects of whom something else is said than before are to be linked again.
    """
    told = dict(said)
    columns = t.evidence.c
    known = {
        (row.source, row.service, row.scope, row.key): row
        for row in conn.execute(select(t.evidence).where(columns.key.in_(key_set(conn, {key for *_, key in told}))))
    }
    fresh, changed = [], set()
    for place, evidence in told.items():
        before = known.get(place)
        row = {**dict(zip(_PLACE, place, strict=True)), **_columns(evidence, scope=place[2])} if evidence else None
        if before is not None and row is not None and all(getattr(before, name) == row[name] for name in row):
            continue
        if before is not None:
            changed.add(((before.kind, before.code), before.year))
        if row is not None:
            fresh.append(row)
            changed.add(((row["kind"], row["code"]), row["year"]))
    upsert_rows(conn, t.evidence, fresh)
    silent = [place for place, evidence in told.items() if evidence is None and place in known]
    if silent:
        conn.execute(
            t.evidence.delete().where(*(columns[name] == bindparam(f"at_{name}") for name in _PLACE)),
            [{f"at_{name}": part for name, part in zip(_PLACE, place, strict=True)} for place in silent],
        )
    ask(conn, changed)


def _columns(evidence: Evidence, scope: str) -> dict[str, Any]:
    kind, code = evidence.subject
    # The offices are the same in every year.
    year = evidence.year or (int(scope) if scope.isdecimal() else None) if kind != OFFICE else None
    return {"kind": kind, "code": code, "year": year, "says": to_text(evidence)}


def years_of(conn: Connection, subjects: set[Code]) -> set[tuple[Code, int | None]]:
    """Subjects with the fiscal years that something is said of them in."""
    columns = t.evidence.c
    rows = conn.execute(select(columns.kind, columns.code, columns.year).where(_of(conn, subjects)).distinct())
    return {((row.kind, row.code), row.year) for row in rows if (row.kind, row.code) in subjects}


def _of(conn: Connection, subjects: set[Code]) -> ColumnElement[bool]:
    """Evidence of these subjects, and of others of their kinds that bear another's code: by the index of both."""
    columns = t.evidence.c
    return columns.kind.in_({kind for kind, _ in subjects}) & columns.code.in_(
        key_set(conn, {code for _, code in subjects})
    )


def older_codes(conn: Connection) -> dict[Code, Code]:
    """The RUP code that each revised one alone revises."""
    return revised_codes(conn)[0]


def revised_codes(conn: Connection) -> tuple[dict[Code, Code], dict[Code, Code]]:
    """(newer RUP code -> the code that it alone revises, newer -> the code that was split into it and others). All of
    them: they are few, and a chain has to be known whole."""
    columns = t.rup_revision.c
    older: dict[Code, Code] = {}
    split: dict[Code, Code] = {}
    for row in conn.execute(
        select(columns.kind, columns.older, columns.newer, columns.type)
        .where(columns.older != columns.newer)
        .order_by(columns.kind, columns.older)
    ):
        (split if row.type == SPLIT else older).setdefault((row.kind, row.newer), (row.kind, row.older))
    return older, split


def ask(conn: Connection, subjects: Iterable[tuple[Code, int | None]]) -> None:
    """Ask for the links of these (subject, fiscal year) to be looked at again."""
    rows = [{"kind": kind, "code": code, "year": year or 0} for (kind, code), year in sorted(subjects, key=str)]
    upsert_rows(conn, t.pending_link, rows)


def link_pending(engine: Engine, settings: Settings, run_id: str) -> int:
    """Link again the years of the subjects in `pending_link`, and ask for the processes that gained, lost or heard of a
    linked subject to be derived. Returns how many links are new, gone or changed."""
    with writing(engine) as conn:
        _ask_anew(conn, settings)
        pending = conn.execute(select(t.pending_link)).all()
        if not pending:
            return 0
        told = {(row.kind, row.code) for row in pending if row.kind in LINKED_KINDS}
        years = {row.year for row in pending}
        if 0 in years:
            # An office, or something of no year: it may matter to any.
            years |= set(conn.execute(select(t.evidence.c.year).distinct()).scalars()) - {None}
        changed: list[tuple[str, str, Code]] = []
        for year in sorted(years - {0}):
            changed += _link_year(conn, settings, year, run_id)
        told |= _subjects_of(conn, {system for rule, system, _ in changed if rule == OFFICE})
        touched = {target for _, _, target in changed}
        standing = t.link.c
        for row in conn.execute(
            select(t.link).where(
                standing.from_code.in_(key_set(conn, {code for _, code in told})), standing.status.in_(STANDING)
            )
        ):
            if (row.from_kind, row.from_code) in told:
                touched.add((row.to_kind, row.to_code))
        _write_subjects(conn, told, settings.kd_klpd)
        demand(conn, processes_of(conn, touched))
        conn.execute(t.pending_link.delete())
    log.info("linked %d subjects again, %d links changed", len(pending), len(changed))
    return len(changed)


def _ask_anew(conn: Connection, settings: Settings) -> None:
    """Ask for the years of links that other thresholds than today's decided."""
    columns = t.link.c
    moved = [
        (columns.rule == rule)
        & (
            (columns.status == "auto") & (columns.confidence < accept)
            | (columns.status == "pending") & ((columns.confidence >= accept) | (columns.confidence < least))
        )
        for rule, (accept, least) in thresholds(settings).items()
    ]
    found = conn.execute(select(columns.from_kind, columns.from_code).where(columns.decided_at.is_(None), or_(*moved)))
    ask(conn, years_of(conn, {(row.from_kind, row.from_code) for row in found}))


def _subjects_of(conn: Connection, systems: set[str]) -> set[Code]:
    """All that some systems tell of."""
    columns = t.evidence.c
    kinds = [kind for kind, source in LINKED_KINDS.items() if source in systems]
    rows = conn.execute(select(columns.kind, columns.code).where(columns.kind.in_(kinds)).distinct())
    return {(row.kind, row.code) for row in rows}


def _link_year(conn: Connection, settings: Settings, year: int, run_id: str) -> list[tuple[str, str, Code]]:
    """Bring the links of one year to what follows from its evidence; of each that changed the rule, the kind that it
    comes from and the target."""
    subjects = _subjects(conn, year)
    ours = {evidence.subject for evidence in subjects if evidence.subject[0] in LINKED_KINDS}
    columns = t.link.c
    stored = {
        row.id: row
        for row in conn.execute(
            select(t.link).where(
                or_(
                    columns.year == year,
                    columns.rule == OFFICE,
                    columns.from_code.in_(key_set(conn, {code for _, code in ours})),
                )
            )
        )
    }
    decided = {
        (row.rule, (row.from_kind, row.from_code), (row.to_kind, row.to_code)): row.status == "confirmed"
        for row in stored.values()
        if row.decided_at is not None
    }
    older = older_codes(conn)
    accept = thresholds(settings)
    found = {
        link_id(link.rule, link.source, link.target): link
        for link in links(subjects, accept, decided, canonical=lambda code: canonical(code, older))
    }
    rows = []
    for name, link in found.items():
        before = stored.get(name)
        # An office's link stands under the year that first had it.
        at = before.year if before is not None and link.rule == OFFICE else year
        row = _row(name, link, at, accept[link.rule][0], run_id)
        if before is None or (before.decided_at is None and _differs(before, row)):
            rows.append(row)
    unfound = [row for name, row in stored.items() if row.decided_at is None and name not in found]
    # What vanished from its system keeps the link that it had: that it is withdrawn has to be told where it belonged.
    present = {target for target, _ in years_of(conn, {(row.to_kind, row.to_code) for row in unfound})}
    single = {(link.rule, link.source) for link in found.values() if RULES[link.rule].truth == "many-to-one"}

    def lasts(row: Any) -> bool:
        source, target = (row.from_kind, row.from_code), (row.to_kind, row.to_code)
        if row.rule == OFFICE:
            return bool(row.year != year)
        if row.status == "pending":
            return False
        return source not in ours or (target not in present and (row.rule, source) not in single)

    gone = [row for row in unfound if not lasts(row)]
    delete_by(conn, t.link, columns.id, [row.id for row in gone])
    upsert_rows(conn, t.link, rows)
    ended = [(row.rule, row.from_kind, (row.to_kind, row.to_code)) for row in gone]
    return ended + [(row["rule"], row["from_kind"], (row["to_kind"], row["to_code"])) for row in rows]


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


def _row(name: str, link: Link, year: int, accept: float, run_id: str) -> dict[str, Any]:
    # Nothing but certainty is shown as such.
    confidence = link.confidence if link.confidence == 1 else min(round(link.confidence, 3), 0.999)
    return {
        "id": name,
        "rule": link.rule,
        "from_kind": link.source[0],
        "from_code": link.source[1],
        "to_kind": link.target[0],
        "to_code": link.target[1],
        "year": year,
        "confidence": confidence,
        "by": link.by,
        "status": "auto" if confidence >= accept else "pending",
        "decided_by": None,
        "decided_at": None,
        "note": None,
        "run_id": run_id,
    }


def _differs(before: Any, row: dict[str, Any]) -> bool:
    return any(getattr(before, name) != row[name] for name in ("confidence", "by", "status", "year"))


def _subjects(conn: Connection, year: int) -> list[Evidence]:
    """What is said of each subject of a year, and of the offices, which have none.

    What a system lists in two years is linked in the later one alone, so that a link has one year.
    """
    columns = t.evidence.c
    listed_later = select(columns.kind, columns.code).where(columns.year > year, columns.kind.in_(LINKED_KINDS))
    later = {(row.kind, row.code) for row in conn.execute(listed_later)}
    said = _said(conn, or_(columns.year == year, columns.year.is_(None)))
    return [united(parts) for subject, parts in said.items() if subject not in later]


def _said(conn: Connection, where: ColumnElement[bool]) -> dict[Code, list[Evidence]]:
    """Some of the evidence by its subject, always in the same order."""
    columns = t.evidence.c
    said: dict[Code, list[Evidence]] = defaultdict(list)
    for row in conn.execute(
        select(t.evidence).where(where).order_by(columns.source, columns.service, columns.scope, columns.key)
    ):
        said[row.kind, row.code].append(from_text((row.kind, row.code), row.year, row.says))
    return said


def processes_of(conn: Connection, codes: set[Code]) -> set[str]:
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


def offices_by_name(conn: Connection) -> dict[Code, str]:
    """(source, plain name of an office there) -> kd_satker_str, for the systems whose offices are linked."""
    offices = _offices(conn)
    columns = t.evidence.c
    found = {}
    for kind, source in LINKED_KINDS.items():
        for (says,) in conn.execute(select(columns.says).where(columns.kind == kind).order_by(columns.key)):
            evidence = from_text((kind, ""), None, says)
            code = offices.get((source, evidence.office or evidence.office_name or ""))
            if code and evidence.office_name:
                found[source, plain_name(evidence.office_name)] = code
    return found


def _offices(conn: Connection) -> dict[Code, str]:
    """(source, its code or name of an office) -> kd_satker_str."""
    columns = t.link.c
    rows = conn.execute(
        select(t.link)
        .where(columns.rule == OFFICE, columns.status.in_(STANDING))
        .order_by(columns.confidence, columns.id)
    )
    return {(row.from_kind, row.from_code): row.to_code for row in rows}


def _write_subjects(conn: Connection, codes: set[Code], kd_klpd: str) -> None:
    """What analysts may read of linked subjects, joined to a process or not."""
    offices = _offices(conn)
    said = {subject: parts for subject, parts in _said(conn, _of(conn, codes)).items() if subject in codes}
    rows = []
    for (kind, _), parts in sorted(said.items()):
        evidence = united(parts)
        named = evidence.office or evidence.office_name or ""
        office = office_party(kd_klpd, offices.get((LINKED_KINDS[kind], named)), evidence.office_name)
        rows.append(_subject(evidence, parts, office or {}))
    upsert_rows(conn, t.subject, rows)
    silent: dict[str, set[str]] = defaultdict(set)
    for kind, code in codes - said.keys():
        silent[kind].add(code)
    subject = t.subject.c
    for kind, names in silent.items():
        conn.execute(
            update(t.subject).where(subject.kind == kind, subject.code.in_(key_set(conn, names))).values(gone=True)
        )


def _subject(evidence: Evidence, parts: list[Evidence], office: Mapping[str, object]) -> dict[str, Any]:
    kind, code = evidence.subject
    priced = [part for part in parts if part.amounts]
    amount = None
    if kind == "anggaran":
        # A budget line is the sum of its details.
        amount = sum(part.amounts[0] for part in priced) if priced else None
    elif kind in ("usulan", "pokir"):
        # What was asked for, before what each level recommends.
        amount = priced[0].amounts[0] if priced else None
    elif priced:
        # The latest: an addendum replaces the value.
        amount = max(priced, key=lambda part: max(part.dates, default="")).amounts[-1]
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
        "gone": False,
    }


def decide(conn: Connection, names: list[str], status: str, who: str, note: str | None) -> list[Any]:
    """Write down an operator's decision on links (`confirmed` or `rejected`); it outlives every rerun. Their years are
    linked again by the next build, since what is decided here frees or takes the place of other links.

    Returns the links' rows. Raises SettingsError, and decides nothing, where no link has one of the names.
    """
    columns = t.link.c
    chosen = columns.id.in_(key_set(conn, names))
    rows = conn.execute(select(t.link).where(chosen)).all()
    if unknown := sorted(set(names) - {row.id for row in rows}):
        raise _no_link(unknown[0])
    conn.execute(
        update(t.link).where(chosen).values(status=status, decided_by=who, decided_at=utc_now(), note=scrub(note))
    )
    ask(conn, {((row.from_kind, row.from_code), 0 if row.rule == OFFICE else row.year) for row in rows})
    demand(conn, processes_of(conn, {(row.to_kind, row.to_code) for row in rows}))
    # Whose office it is matters to all that the system tells.
    systems = {row.from_kind for row in rows if row.rule == OFFICE}
    ask(conn, years_of(conn, _subjects_of(conn, systems)))
    return list(conn.execute(select(t.link).where(chosen).order_by(columns.id)).all())


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
        raise _no_link(name)
    return _shown(row, _described(conn, {(row.from_kind, row.from_code), (row.to_kind, row.to_code)}))


def _no_link(name: str) -> SettingsError:
    return SettingsError(f"there is no link {name}; `jejak links list` shows those there are")


def _shown(row: Any, said: Mapping[Code, dict[str, Any]]) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in _SHOWN},
        "from": {"kind": row.from_kind, "code": row.from_code, **said[row.from_kind, row.from_code]},
        "to": {"kind": row.to_kind, "code": row.to_code, **said[row.to_kind, row.to_code]},
    }


def _described(conn: Connection, codes: set[Code]) -> dict[Code, dict[str, Any]]:
    """What may be shown of subjects: no tax numbers, texts scrubbed."""
    said = _said(conn, _of(conn, codes))
    return {code: _description(united([Evidence(code), *said.get(code, ())])) for code in codes}


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
