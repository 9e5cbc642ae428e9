"""Plans that vanished and may have come back under a new code without a word of it in the history of revisions: links
that wait for an operator, and never stand by themselves. A confirmed one counts as a revision."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from pipeline.links import known_evidence, last_evidence, link_id, link_row, replace_links
from pipeline.registry import PLAN_LISTS
from transforms.evidence import Evidence, Link, united
from transforms.identity import Code
from transforms.linking.rules import REVISION
from transforms.parties import plain_name
from warehouse import tables as t
from warehouse.load import of_codes

# How often it is right is not known: these only order the list.
_WITH_AMOUNT, _WITHOUT = 0.9, 0.5
# More plans of one office and name than these are lots; which of them is which, their amounts alone show.
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
    year, office and name, where no revision replaces the old code or brings the new one. All plans of the lists that
    hold these codes are compared: how many there are of an office and name decides about each of them.
    """
    scopes = _scopes(conn, codes)
    vanished = _vanished(conn, scopes)
    new = _new(conn, min(seen.at for _, seen in vanished), scopes) if vanished else []
    found: dict[str, dict[str, Any]] = {}
    for scope, old, newer, confidence, by in _pairs(conn, vanished, new):
        name = link_id(REVISION, old, newer)
        found[name] = link_row(name, Link(REVISION, old, newer, confidence, by), _year(scope), _ACCEPT, run_id)
    years = {_year(scope) for scope in scopes}
    stored = conn.execute(select(t.link).where(t.link.c.rule == REVISION, t.link.c.year.in_(years))).all()
    replace_links(conn, found, [row for row in stored if row.id not in found])


def _year(scope: str) -> int:
    return int(scope) if scope.isdecimal() else 0


def _scopes(conn: Connection, codes: set[Code]) -> set[str]:
    """The years whose lists hold these plans, or held them."""
    columns = t.raw_record.c
    of_plans = (columns.service.in_(PLAN_LISTS), columns.current, of_codes(conn, columns.kind, columns.code, codes))
    return set(conn.execute(select(columns.scope).where(*of_plans).distinct()).scalars())


def _vanished(conn: Connection, scopes: set[str]) -> list[tuple[Code, _Seen]]:
    """The plans that a list of these years was the last to hold, and none holds now."""
    columns = t.raw_record.c
    of_plans = (columns.service.in_(PLAN_LISTS), columns.current)
    rows = conn.execute(
        select(columns.kind, columns.code, columns.scope, columns.observed_at)
        .where(*of_plans, columns.gone)
        .order_by(columns.observed_at, columns.scope)
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
    return [(code, seen) for code, seen in gone.items() if code not in left_out and seen.scope in scopes]


def _new(conn: Connection, since: str, scopes: set[str]) -> list[tuple[Code, _Seen]]:
    """The plans that the lists of these years have held since this moment or later, and none before."""
    columns, revised = t.raw_record.c, t.rup_revision.c
    query = select(columns.kind, columns.code, columns.scope).where(
        columns.service.in_(PLAN_LISTS),
        columns.scope.in_(scopes),
        columns.current,
        ~columns.gone,
        columns.observed_at >= since,
    )
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
    return [
        (code, _Seen(row.scope, first[code]))
        for row in rows
        if first[code := (row.kind, row.code)] >= since and code not in left_out
    ]


def _pairs(
    conn: Connection, vanished: list[tuple[Code, _Seen]], new: list[tuple[Code, _Seen]]
) -> Iterator[tuple[str, Code, Code, float, str]]:
    """(year's list, vanished plan, new one, confidence, evidence)."""
    before = {code: united(parts) for code, parts in last_evidence(conn, {code for code, _ in vanished}).items()}
    after = {code: united(parts) for code, parts in known_evidence(conn, {code for code, _ in new}).items()}
    newer = _by_name(after, new)
    for name, those in _by_name(before, vanished).items():
        since = min(seen.at for _, seen in those)
        these = [(code, seen) for code, seen in newer.get(name, []) if seen.at >= since]
        few = max(len(those), len(these)) <= _MANY
        for old, gone in those:
            for code, came in these:
                same = bool(set(before[old].amounts) & set(after[code].amounts))
                if came.at >= gone.at and (same or few):
                    by = "office+title+amount" if same else "office+title"
                    yield gone.scope, old, code, _WITH_AMOUNT if same else _WITHOUT, by


def _by_name(
    plans: Mapping[Code, Evidence], those: list[tuple[Code, _Seen]]
) -> dict[tuple[str, ...], list[tuple[Code, _Seen]]]:
    found: dict[tuple[str, ...], list[tuple[Code, _Seen]]] = defaultdict(list)
    for code, seen in sorted(those):
        if (plan := plans.get(code)) is not None:
            office = plan.office or plain_name(plan.office_name)
            if office and plan.titles:
                found[code[0], seen.scope, office, plain_name(plan.titles[0])].append((code, seen))
    return found
