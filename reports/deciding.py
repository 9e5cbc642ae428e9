"""Links that wait for an operator: by money at stake, each subject with all that it may belong to, side by side; and as
a sheet, out to the offices and back."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.worksheet.datavalidation import DataValidation
from sqlalchemy import ColumnElement, Connection, Select, func, select

from pipeline.links import state_of, these
from reports.reasons import speaking_against, speaking_for
from reports.sheets import defused
from schemas.errors import StructureError
from warehouse import tables as t
from warehouse.load import key_set

DECISIONS = {"confirm": "confirmed", "reject": "rejected", "pending": "pending"}
"""What an operator writes, and the status that a link gets."""

_DECIDING = {
    **DECISIONS,
    "confirmed": "confirmed",
    "rejected": "rejected",
    "ya": "confirmed",
    "yes": "confirmed",
    "tidak": "rejected",
    "no": "rejected",
}
_SIDES = ("kind", "code", "title", "office", "numbers", "suppliers", "amounts", "dates", "place", "mak", "kd_rup")
_HEAD = ("link", "decision", "note", "rule", "confidence", "year", "status", "for", "against")
_COLUMNS = (*_HEAD, *(f"{side} {name}" for side in ("from", "to") for name in _SIDES), "seen")
# Rules of which few targets rightly have two subjects.
_SINGLE = ("contract-payment", "contract-report")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which links: those of a rule, an office (a part of its name), a year, within bounds of confidence; of a status,
    or (`all`) of any."""

    rule: str | None = None
    office: str | None = None
    year: int | None = None
    least: float | None = None
    most: float | None = None
    status: str = "pending"


def _chosen(wanted: Wanted) -> list[ColumnElement[bool]]:
    link, subject = t.link.c, t.subject.c
    found: list[ColumnElement[bool]] = []
    if wanted.status != "all":
        found.append(link.status == wanted.status)
    if wanted.rule:
        found.append(link.rule == wanted.rule)
    if wanted.year is not None:
        found.append(link.year == wanted.year)
    if wanted.least is not None:
        found.append(link.confidence >= wanted.least)
    if wanted.most is not None:
        found.append(link.confidence <= wanted.most)
    if wanted.office:
        found.append(func.lower(subject.office_name).contains(wanted.office.lower(), autoescape=True))
    return found


def _count(conn: Connection, wanted: Wanted) -> int:
    """How many subjects have such links; unless it is about offices, an index of the links alone knows."""
    if wanted.office:
        asked = _of_subjects(wanted).subquery()
    else:
        link = t.link.c
        asked = select(link.rule, link.from_kind, link.from_code).where(*_chosen(wanted)).distinct().subquery()
    return conn.execute(select(func.count()).select_from(asked)).scalar_one()


def _of_subjects(wanted: Wanted) -> Select[Any]:
    """The subjects of some links, with the money at stake: the subject's own amount, for offices none."""
    link, subject = t.link.c, t.subject.c
    return (
        select(link.rule, link.from_kind, link.from_code, func.max(subject.amount).label("money"))
        .join_from(t.link, t.subject, (subject.kind == link.from_kind) & (subject.code == link.from_code), isouter=True)
        .where(*_chosen(wanted))
        .group_by(link.rule, link.from_kind, link.from_code)
    )


def cases(
    conn: Connection, wanted: Wanted, language: str = "en", *, limit: int | None = None, offset: int = 0
) -> tuple[int, list[dict[str, Any]]]:
    """How many subjects have such links, and some of them, those with most money first: `{"rule", "kind", "code",
    "money", "from", "links"}`, where `links` are all of the subject's by that rule, rivals too, those that wait first,
    then the surest, each as `pipeline.links` shows it with `seen` (its state), `for` and `against` (in words), `ocid`
    (the process of its target) and `others`: what else may belong to that target, `{"id", "kind", "code", "title",
    "confidence", "status"}`."""
    asked = _of_subjects(wanted).subquery()
    money = func.coalesce(asked.c.money, 0)
    order = (money.desc(), asked.c.rule, asked.c.from_kind, asked.c.from_code)
    rows = conn.execute(select(asked).order_by(*order).limit(limit).offset(offset)).all()
    if limit is None and not offset:
        return len(rows), _with_links(conn, rows, language)
    return _count(conn, wanted), _with_links(conn, rows, language)


def case_of(conn: Connection, name: str, language: str) -> dict[str, Any] | None:
    """The case of one link, as `cases` has them; None where there is no such link."""
    link = t.link.c
    own = conn.execute(select(link.rule, link.from_kind, link.from_code).where(link.id == name)).one_or_none()
    if own is None:
        return None
    asked = _of_subjects(Wanted(status="all")).where(*(link[key] == value for key, value in own._mapping.items()))
    return _with_links(conn, conn.execute(asked).all(), language)[0]


def of_process(conn: Connection, ocid: str, language: str) -> list[dict[str, Any]]:
    """The links to a process's codes and to the plans that it carries, but for budgets and documents, of which it has
    many: each as in `cases`, those that stand first."""
    link, own, carried = t.link.c, t.identity.c, t.process_rup.c
    names: set[str] = set()
    for table, kind, code in ((t.identity, own.kind, own.key), (t.process_rup, carried.kind, carried.code)):
        query = (
            select(link.id)
            .join(table, (kind == link.to_kind) & (code == link.to_code))
            .where(table.c.ocid == ocid, link.from_kind.not_in(("anggaran", "dokumen")))
        )
        names.update(conn.execute(query).scalars())
    order = ("confirmed", "auto", "pending", "rejected")
    return sorted(described(conn, names, language), key=lambda each: order.index(each["status"]))


def _with_links(conn: Connection, rows: Sequence[Any], language: str) -> list[dict[str, Any]]:
    link = t.link.c
    of_subjects = conn.execute(
        select(link.id, link.rule, link.from_kind, link.from_code).where(
            link.from_kind.in_({row.from_kind for row in rows}),
            link.from_code.in_(key_set(conn, {row.from_code for row in rows})),
        )
    )
    keys = {(row.rule, row.from_kind, row.from_code) for row in rows}
    names = [each.id for each in of_subjects if (each.rule, each.from_kind, each.from_code) in keys]
    by_subject: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for each in described(conn, names, language):
        by_subject[each["rule"], each["from"]["kind"], each["from"]["code"]].append(each)
    found = []
    for row in rows:
        rivals = by_subject[row.rule, row.from_kind, row.from_code]
        if rivals:
            found.append(
                {
                    "rule": row.rule,
                    "kind": row.from_kind,
                    "code": row.from_code,
                    "money": row.money,
                    "from": rivals[0]["from"],
                    "links": rivals,
                }
            )
    return found


def described(conn: Connection, names: Iterable[str], language: str) -> list[dict[str, Any]]:
    """Links by their names as `cases` has them."""
    links = these(conn, names)
    columns = t.identity.c
    targets = {(each["to"]["kind"], each["to"]["code"]) for each in links}
    rows = conn.execute(
        select(columns.kind, columns.key, columns.ocid).where(
            columns.kind.in_({kind for kind, _ in targets}),
            columns.key.in_(key_set(conn, {code for _, code in targets})),
        )
    )
    ocids = {(row.kind, row.key): row.ocid for row in rows}
    others = _contesting(conn, links)
    # Those that wait are asked about.
    links.sort(key=lambda each: each["status"] != "pending")
    return [
        {
            **each,
            "seen": state_of(each),
            "for": speaking_for(each["by"], language),
            "against": speaking_against(each, language),
            "ocid": ocids.get((each["to"]["kind"], each["to"]["code"])),
            "others": [
                other
                for other in others[each["rule"], each["to"]["kind"], each["to"]["code"]]
                if (other["kind"], other["code"]) != (each["from"]["kind"], each["from"]["code"])
            ],
        }
        for each in links
    ]


def _contesting(conn: Connection, links: list[dict[str, Any]]) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    """By rule and target: what may belong to it. A plan has rightly many budget lines, documents and proposals."""
    targets = {(each["rule"], each["to"]["kind"], each["to"]["code"]) for each in links if each["rule"] in _SINGLE}
    link, subject = t.link.c, t.subject.c
    query = (
        select(
            link.id,
            link.rule,
            link.to_kind,
            link.to_code,
            link.from_kind,
            link.from_code,
            link.confidence,
            link.status,
            subject.title,
        )
        .join_from(t.link, t.subject, (subject.kind == link.from_kind) & (subject.code == link.from_code), isouter=True)
        .where(
            link.rule.in_(_SINGLE),
            link.status != "rejected",
            link.to_kind.in_({kind for _, kind, _ in targets}),
            link.to_code.in_(key_set(conn, {code for *_, code in targets})),
        )
        .order_by(link.confidence.desc(), link.id)
    )
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in conn.execute(query) if targets else ():
        found[row.rule, row.to_kind, row.to_code].append(
            {
                "id": row.id,
                "kind": row.from_kind,
                "code": row.from_code,
                "title": row.title,
                "confidence": row.confidence,
                "status": row.status,
            }
        )
    return found


def filters(conn: Connection) -> dict[str, list[Any]]:
    """What links that wait can be chosen by: their `rules` and `years`."""
    columns = t.link.c
    rows = conn.execute(select(columns.rule, columns.year).where(columns.status == "pending").distinct()).all()
    return {
        "rules": sorted({row.rule for row in rows}),
        "years": sorted({row.year for row in rows if row.year}, reverse=True),
    }


def write_sheet(conn: Connection, path: Path, wanted: Wanted, language: str) -> int:
    """Write links to an XLSX file, those with most money first, with columns for a decision and a note; how many.

    Texts that a spreadsheet might take for a formula are written with a quote before them.
    """
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "links"
    sheet.freeze_panes = "D2"
    choice = DataValidation(type="list", formula1=f'"{",".join(DECISIONS)}"', allow_blank=True)
    sheet.add_data_validation(choice)
    choice.add("B2:B1048576")
    for column, width in (("A", 14), ("B", 10), ("C", 30), ("H", 40), ("I", 40), ("L", 50), ("W", 50)):
        sheet.column_dimensions[column].width = width
    sheet.append(_COLUMNS)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    count = 0
    for case in cases(conn, wanted, language)[1]:
        for link in case["links"]:
            if wanted.status not in ("all", link["status"]):
                continue
            sides = [link[side].get(name) for side in ("from", "to") for name in _SIDES]
            row = [link["id"], "", "", link["rule"], link["confidence"], link["from"]["year"], link["status"]]
            row += ["; ".join(link["for"]), "; ".join(link["against"]), *sides, link["seen"]]
            sheet.append([defused(value) for value in row])
            count += 1
    book.save(path)
    return count


def read_sheet(path: Path) -> list[dict[str, Any]]:
    """The decisions in a sheet as `write_sheet` wrote it: `{"line", "link", "status", "note", "seen"}` for each line
    that has one. Raises StructureError for another file, and for a word that is no decision; it names the line."""
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except FileNotFoundError:
        raise StructureError(f"there is no file {path}") from None
    except Exception:
        raise StructureError(f"{path} can't be read as XLSX: save it as an Excel workbook (.xlsx)") from None
    rows = (book["links"] if "links" in book.sheetnames else book.worksheets[0]).iter_rows(values_only=True)
    head = [str(name or "").strip().lower() for name in next(rows, ())]
    if missing := [name for name in ("link", "decision", "note", "seen") if name not in head]:
        raise StructureError(
            f"{path} has no column {', '.join(missing)}: send out a sheet of `jejak links export` and keep its head"
        )
    at = {name: head.index(name) for name in ("link", "decision", "note", "seen")}
    found = []
    for number, row in enumerate(rows, start=2):
        line = {name: _text(row[place]) if place < len(row) else "" for name, place in at.items()}
        word = line["decision"].lower()
        if not word:
            continue
        if word not in _DECIDING:
            raise StructureError(f"line {number}: {line['decision']!r} is no decision; write {', '.join(DECISIONS)}")
        found.append(
            {
                "line": number,
                "link": line["link"],
                "status": _DECIDING[word],
                "note": line["note"] or None,
                "seen": line["seen"],
            }
        )
    return found


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value).strip().removeprefix("'") if value is not None else ""


def judged(conn: Connection, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each line of a sheet with its `result`: `apply`, `unchanged` (decided so already), `conflict` (the link is no
    longer as the sheet has it, or another line decides otherwise) or `unknown` (no such link)."""
    known = {each["id"]: each for each in these(conn, [line["link"] for line in lines])}
    first: dict[str, str] = {}
    found = []
    for line in lines:
        link = known.get(line["link"])
        if link is None:
            result = "unknown"
        elif first.setdefault(line["link"], line["status"]) != line["status"]:
            result = "conflict"
        elif link["status"] == line["status"]:
            result = "unchanged"
        elif state_of(link) != line["seen"]:
            result = "conflict"
        else:
            result = "apply"
        found.append({**line, "result": result})
    return found
