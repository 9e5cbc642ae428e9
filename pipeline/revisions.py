"""Plans that vanished and may have come back under a new code without a word of it in the history of revisions: links
that wait for an operator, and never stand by themselves. A confirmed one counts as a revision."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, or_, select

from pipeline.links import known_evidence, last_evidence, link_id, link_row, replace_links
from pipeline.registry import PLAN_LISTS
from transforms.evidence import Evidence, Link, united
from transforms.identity import Code
from transforms.linking.rules import REVISION
from transforms.parties import plain_name
from warehouse import tables as t
from warehouse.load import of_codes

# How often it is right is not known: these only say what comes first in the list.
_WITH_AMOUNT, _WITHOUT = 0.9, 0.5
# As many plans of one office and name are as many lots; which of them is which, their amounts alone can tell.
_MANY = 3
# Never reached: an operator decides each of them.
_ACCEPT = 2.0


class _Seen(NamedTuple):
    """The list of a year that a plan stood in, and since when it is gone, or there."""

    scope: str
    at: str


def note_possible_revisions(conn: Connection, codes: set[Code], run_id: str) -> None:
    """Bring the links from vanished plans to new ones to what the lists hold now, for codes that came, went or changed.

    A plan may have come back under a code that the list did not have before it lost the old one: of the same kind,
    year, office and name, where no revision names either code.
    """
    link = t.link.c
    stored = conn.execute(
        select(t.link).where(
            link.rule == REVISION,
            or_(
                of_codes(conn, link.from_kind, link.from_code, codes), of_codes(conn, link.to_kind, link.to_code, codes)
            ),
        )
    ).all()
    concerned = codes | {end for row in stored for end in ((row.from_kind, row.from_code), (row.to_kind, row.to_code))}
    vanished = _vanished(conn)
    new: dict[Code, _Seen] = {}
    if concerned and vanished:
        # Where nothing vanished just now, what is new of these codes is all that can have come back.
        among = None if concerned & vanished.keys() else concerned
        new = _new(conn, min(seen.at for seen in vanished.values()), among)
    found: dict[str, dict[str, Any]] = {}
    if not concerned.isdisjoint(vanished.keys() | new.keys()):
        for old, newer, confidence, by in _pairs(conn, vanished, new, concerned):
            name = link_id(REVISION, old, newer)
            year = int(vanished[old].scope) if vanished[old].scope.isdecimal() else 0
            found[name] = link_row(name, Link(REVISION, old, newer, confidence, by), year, _ACCEPT, run_id)
    replace_links(conn, found, [row for row in stored if row.id not in found])


def _vanished(conn: Connection) -> dict[Code, _Seen]:
    """The plans that their list no longer holds, in no year."""
    columns = t.raw_record.c
    of_plans = (columns.service.in_(PLAN_LISTS), columns.current)
    rows = conn.execute(
        select(columns.kind, columns.code, columns.scope, columns.observed_at)
        .where(*of_plans, columns.gone)
        .order_by(columns.observed_at)
    )
    gone = {(row.kind, row.code): _Seen(row.scope, row.observed_at) for row in rows}
    there = conn.execute(
        select(columns.kind, columns.code).where(
            *of_plans, ~columns.gone, of_codes(conn, columns.kind, columns.code, gone.keys())
        )
    )
    revised = t.rup_revision.c
    known = conn.execute(
        select(revised.kind, revised.older).where(of_codes(conn, revised.kind, revised.older, gone.keys()))
    )
    left_out = {tuple(row) for row in (*there, *known)}
    return {code: seen for code, seen in gone.items() if code not in left_out}


def _new(conn: Connection, since: str, among: set[Code] | None) -> dict[Code, _Seen]:
    """The plans (of these codes, where given) that a list has held since this moment or later, and not before."""
    columns, revised = t.raw_record.c, t.rup_revision.c
    query = select(columns.kind, columns.code, columns.scope).where(
        columns.service.in_(PLAN_LISTS), columns.current, ~columns.gone, columns.observed_at >= since
    )
    if among is not None:
        query = query.where(of_codes(conn, columns.kind, columns.code, among))
    rows = conn.execute(query).all()
    codes = {(row.kind, row.code) for row in rows}
    first = {
        (row.kind, row.code): row.at
        for row in conn.execute(
            select(columns.kind, columns.code, func.min(columns.observed_at).label("at"))
            .where(columns.service.in_(PLAN_LISTS), of_codes(conn, columns.kind, columns.code, codes))
            .group_by(columns.kind, columns.code)
        )
    }
    known = conn.execute(select(revised.kind, revised.newer).where(of_codes(conn, revised.kind, revised.newer, codes)))
    left_out = {tuple(row) for row in known}
    found = {}
    for row in rows:
        code = (row.kind, row.code)
        if first[code] >= since and code not in left_out:
            found[code] = _Seen(row.scope, first[code])
    return found


def _pairs(
    conn: Connection, vanished: Mapping[Code, _Seen], new: Mapping[Code, _Seen], concerned: set[Code]
) -> list[tuple[Code, Code, float, str]]:
    """(vanished plan, new one, confidence, evidence), one of each pair `concerned`."""
    # What came is compared with all that vanished, what vanished with all that came.
    olds = vanished.keys() if concerned & new.keys() else vanished.keys() & concerned
    newer = new.keys() if concerned & vanished.keys() else new.keys() & concerned
    before = {code: united(parts) for code, parts in last_evidence(conn, set(olds)).items()}
    after = {code: united(parts) for code, parts in known_evidence(conn, set(newer)).items()}
    olds_by, newer_by = _by_name(before, vanished), _by_name(after, new)
    pairs = []
    for name, those in olds_by.items():
        these = newer_by.get(name, [])
        for old in those:
            for code in these:
                if new[code].at < vanished[old].at or not concerned & {old, code}:
                    continue
                same = bool(set(before[old].amounts) & set(after[code].amounts))
                if same or max(len(those), len(these)) <= _MANY:
                    by = "office+title+amount" if same else "office+title"
                    pairs.append((old, code, _WITH_AMOUNT if same else _WITHOUT, by))
    return pairs


def _by_name(plans: Mapping[Code, Evidence], seen: Mapping[Code, _Seen]) -> dict[tuple[str, ...], list[Code]]:
    found: dict[tuple[str, ...], list[Code]] = defaultdict(list)
    for code, plan in sorted(plans.items()):
        office = plan.office or plain_name(plan.office_name)
        if office and plan.titles:
            found[code[0], seen[code].scope, office, plain_name(plan.titles[0])].append(code)
    return found
