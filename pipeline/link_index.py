"""What linking keeps of a fiscal year between two builds: read and written."""

import secrets
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, or_, select

from transforms.evidence import Link
from transforms.identity import Code
from transforms.linking.offices import OfficeReference
from transforms.linking.scoring import Weighed
from transforms.linking.year import Facts, Kept, Outcome, from_text, to_text
from warehouse import tables as t
from warehouse.load import insert_rows, key_set, of_codes, upsert_rows

_PARTS = 200  # of one query: SQLite takes so many conditions


class KeptYear(Kept):
    """A year as it was linked last, read where `conn` stands."""

    def __init__(self, conn: Connection, year: int) -> None:
        self.conn = conn
        self.year = year
        row = conn.execute(select(t.link_year).where(t.link_year.c.year == year)).one_or_none()
        self.token: str | None = row.token if row else None
        self.fingerprint: str | None = row.fingerprint if row else None
        office_counts = row.office_counts if row else []
        self.office_counts: Mapping[OfficeReference, int] = {
            (kind, code, name): count for kind, code, name, count in office_counts
        }
        resolved = row.resolved if row else []
        self.resolved: Mapping[OfficeReference, str | None] = {
            (kind, code, name): at for kind, code, name, at in resolved
        }
        self.ids: dict[Code, int] = {}

    def facts(self, codes: set[Code]) -> dict[Code, Facts]:
        columns = t.link_subject.c
        found = {}
        for row in self.conn.execute(
            select(t.link_subject).where(
                columns.year == self.year, of_codes(self.conn, columns.kind, columns.code, codes)
            )
        ):
            code = (row.kind, row.code)
            self.ids[code] = row.id
            found[code] = from_text(row.facts, row.mentions)
        return found

    def subjects_by_key(self, keys: set[str]) -> Mapping[str, set[Code]]:
        found: dict[str, set[Code]] = defaultdict(set)
        columns, subject = t.link_key.c, t.link_subject.c
        if keys:
            for row in self.conn.execute(
                select(columns.key, subject.kind, subject.code)
                .join(t.link_subject, (subject.year == columns.year) & (subject.id == columns.subject))
                .where(columns.year == self.year, columns.key.in_(key_set(self.conn, sorted(keys))))
            ):
                found[row.key].add((row.kind, row.code))
        return found

    def counts(self, keys: set[str]) -> Mapping[str, int]:
        if not keys:
            return {}
        columns = t.link_key.c
        rows = self.conn.execute(
            select(columns.key, func.count())
            .where(columns.year == self.year, columns.key.in_(key_set(self.conn, sorted(keys))))
            .group_by(columns.key)
        )
        return {row[0]: row[1] for row in rows}

    def values(self, kind: str) -> Mapping[str, int]:
        columns = t.link_key.c
        end = kind[:-1] + chr(ord(kind[-1]) + 1)
        rows = self.conn.execute(
            select(columns.key, func.count())
            .where(columns.year == self.year, columns.key >= kind, columns.key < end)
            .group_by(columns.key)
        )
        return {key.removeprefix(kind): count for key, count in rows}

    def mentioning(self, parts: list[str]) -> set[Code]:
        columns = t.link_subject.c
        place = func.instr if self.conn.dialect.name == "sqlite" else func.strpos
        found = set()
        for start in range(0, len(parts), _PARTS):
            some = parts[start : start + _PARTS]
            rows = self.conn.execute(
                select(columns.kind, columns.code).where(
                    columns.year == self.year,
                    columns.mentions != "",
                    or_(*(place(columns.mentions, part) > 0 for part in some)),
                )
            )
            found |= {(row.kind, row.code) for row in rows}
        return found

    def pairs(self, rule: str, sources: set[Code]) -> Weighed:
        columns = t.link_pair.c
        found: Weighed = defaultdict(dict)
        for row in self.conn.execute(
            select(t.link_pair).where(
                columns.year == self.year,
                columns.rule == rule,
                of_codes(self.conn, columns.from_kind, columns.from_code, sources),
            )
        ):
            found[row.from_kind, row.from_code][row.to_kind, row.to_code] = (row.weight, row.by)
        return found

    def rivals(self, rule: str, targets: set[Code]) -> set[Code]:
        columns = t.link_pair.c
        return {
            (row.from_kind, row.from_code)
            for row in self.conn.execute(
                select(columns.from_kind, columns.from_code).where(
                    columns.year == self.year,
                    columns.rule == rule,
                    of_codes(self.conn, columns.to_kind, columns.to_code, targets),
                )
            )
        }


def kept_of(conn: Connection, codes: set[Code]) -> set[tuple[Code, int]]:
    """These subjects with the years that keep something of them."""
    columns = t.link_subject.c
    rows = conn.execute(
        select(columns.kind, columns.code, columns.year).where(of_codes(conn, columns.kind, columns.code, codes))
    )
    return {((row.kind, row.code), row.year) for row in rows}


def write_year(
    conn: Connection, kept: KeptYear, outcome: Outcome, offices: list[Link] | None, fingerprint: str, *, anew: bool
) -> None:
    """Keep what came of linking a year; `anew` replaces all that was kept of it."""
    year = kept.year
    if anew:
        for table in (t.link_subject, t.link_key, t.link_pair):
            conn.execute(delete(table).where(table.c.year == year))
        ids: dict[Code, int] = {}
        last = 0
    else:
        ids = kept.ids
        last = conn.execute(select(func.max(t.link_subject.c.id)).where(t.link_subject.c.year == year)).scalar() or 0
    there = {code: facts for code, facts in outcome.facts.items() if facts is not None}
    numbers = {code: ids[code] if code in ids else (last := last + 1) for code in sorted(there)}
    if not anew:
        gone = [ids[code] for code in outcome.facts.keys() - there.keys() if code in ids]
        if gone:
            conn.execute(
                delete(t.link_subject).where(t.link_subject.c.year == year, t.link_subject.c.id == bindparam("of")),
                [{"of": number} for number in gone],
            )
        lost = [
            {"held": key, "of": ids[code]}
            for code, (keys, _) in outcome.keys.items()
            if code in ids
            for key in sorted(keys)
        ]
        if lost:
            columns = t.link_key.c
            conn.execute(
                delete(t.link_key).where(
                    columns.year == year, columns.key == bindparam("held"), columns.subject == bindparam("of")
                ),
                lost,
            )
    write = insert_rows if anew else upsert_rows
    write(
        conn,
        t.link_subject,
        (
            {
                "year": year,
                "id": numbers[code],
                "kind": code[0],
                "code": code[1],
                "facts": to_text(there[code]),
                "mentions": there[code].mentions,
            }
            for code in sorted(there)
        ),
    )
    gained = sorted((key, numbers[code]) for code in there for key in outcome.keys[code][1])
    insert_rows(conn, t.link_key, ({"year": year, "key": key, "subject": number} for key, number in gained))
    for rule, weighed in outcome.pairs.items():
        _write_pairs(conn, year, rule, weighed, anew=anew)
    row: dict[str, Any] = {"year": year, "token": secrets.token_hex(8), "fingerprint": fingerprint}
    if outcome.resolved != kept.resolved or anew:
        row["resolved"] = [[*name, at] for name, at in sorted(outcome.resolved.items(), key=str)]
    if offices is not None:
        row["office_counts"] = [[*name, count] for name, count in sorted(outcome.office_counts.items(), key=str)]
        row["offices"] = [[*link.source, link.target[1], link.confidence, link.by] for link in offices]
    if anew:
        row = {"office_counts": [], "offices": [], **row}
        upsert_rows(conn, t.link_year, [row])
    else:
        conn.execute(t.link_year.update().where(t.link_year.c.year == year).values(row))


def _write_pairs(conn: Connection, year: int, rule: str, weighed: Weighed, *, anew: bool) -> None:
    columns = t.link_pair.c
    if weighed and not anew:
        conn.execute(
            delete(t.link_pair).where(
                columns.year == year,
                columns.rule == rule,
                columns.from_kind == bindparam("kind"),
                columns.from_code == bindparam("code"),
            ),
            [{"kind": kind, "code": code} for kind, code in sorted(weighed)],
        )
    insert_rows(
        conn,
        t.link_pair,
        (
            {
                "year": year,
                "rule": rule,
                "from_kind": source[0],
                "from_code": source[1],
                "to_kind": target[0],
                "to_code": target[1],
                "weight": weight,
                "by": by,
            }
            for source, found in sorted(weighed.items())
            for target, (weight, by) in sorted(found.items())
        ),
    )
