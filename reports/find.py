"""From a number or some words that people hold in their hands to the processes that they are about."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, literal, or_, select

from pipeline.links import STANDING
from pipeline.registry import LINKED_KINDS, SERVICES
from transforms.parties import is_personal
from transforms.search import TITLE, number_key, title_words
from warehouse import tables as t
from warehouse.load import key_set, of_codes
from warehouse.search import PROCESS

MOST = 50
"""So many hits are shown."""

LOOKED = ("ocid", "code", "number", "title")
"""Where a text is looked for, in this order: OCIDs, the codes of the sources, numbers of papers, words of titles."""

_LAST = "\U0010ffff"
# So far matches of a word are counted, to begin with the rarest: some milliseconds, and no more are gone through.
_COUNTED = 50_000
_CODE_KINDS = sorted({service.kind for _, service in SERVICES.values() if service.kind})


@dataclass(frozen=True, slots=True)
class _Hit:
    what: str  # ocid, the kind of a code, what a paper is, or `title`
    found: str
    holder_kind: str
    holder: str


def find(conn: Connection, text: str) -> dict[str, Any]:
    """What has a number, a code or a title that begins so: `{"text", "personal", "looked", "hits"}`.

    Numbers are compared without signs and capitals, by their beginning; of a title each word must begin so. A `hit` is
    `{"what", "found", "ocid", "title", "office", "subject"}`: `subject` is the (kind, code) of what another system has,
    `ocid` the process that it belongs to, None while it is linked to none. `looked` names the places that were looked
    at (`LOOKED`); a text that may be the number of a person is looked for nowhere (`personal`).
    """
    text = " ".join(text.split())
    if is_personal(text):
        return {"text": "", "personal": True, "looked": [], "hits": []}
    hits: dict[tuple[str, str], _Hit] = {}
    looked = []
    for place, search in (("ocid", _ocids), ("code", _codes), ("number", _numbers), ("title", _titles)):
        found = search(conn, text)
        if found is None:
            continue
        looked.append(place)
        for hit in found:
            hits.setdefault((hit.holder_kind, hit.holder), hit)
        if len(hits) >= MOST:
            break
    return {"text": text, "personal": False, "looked": looked, "hits": _described(conn, list(hits.values()))[:MOST]}


def _begins(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    return (column >= text) & (column < text + _LAST)


def _ocids(conn: Connection, text: str) -> list[_Hit] | None:
    if not text.lower().startswith("ocds-"):
        return None
    columns = t.process.c
    # A code within an OCID keeps its capitals.
    prefix = "-".join(text.split("-")[:3]).lower() + text[len("-".join(text.split("-")[:3])) :]
    query = select(columns.ocid).where(_begins(columns.ocid, prefix)).order_by(columns.ocid).limit(MOST)
    return [_Hit("ocid", ocid, PROCESS, ocid) for ocid in conn.execute(query).scalars()]


def _codes(conn: Connection, text: str) -> list[_Hit] | None:
    if " " in text or not any(map(str.isdigit, text)):
        return None
    hits = []
    for table, code, holder in (
        (t.identity, t.identity.c.key, t.identity.c.ocid),
        (t.subject, t.subject.c.code, t.subject.c.code),
    ):
        query = (
            select(table.c.kind, code, holder)
            .where(table.c.kind.in_(_CODE_KINDS), or_(*(_begins(code, spelled) for spelled in {text, text.upper()})))
            .order_by(func.length(code), code)
            .limit(MOST)
        )
        for kind, found, of in conn.execute(query):
            hits.append(_Hit(kind, found, PROCESS if table is t.identity else kind, of))
    return sorted(hits, key=lambda hit: hit.found != text)


def _numbers(conn: Connection, text: str) -> list[_Hit] | None:
    key = number_key(text)
    if key is None:
        return None
    columns = t.search_key.c
    query = (
        select(t.search_key)
        .where(_begins(columns.key, key), columns.kind != TITLE)
        .order_by(columns.key, columns.kind, columns.holder_kind, columns.holder)
        .limit(MOST)
    )
    return [_Hit(row.kind, row.key, row.holder_kind, row.holder) for row in conn.execute(query)]


def _titles(conn: Connection, text: str) -> list[_Hit] | None:
    words = title_words(text)
    if not words:
        return None
    columns = t.search_key.c

    def has(table: Any, word: str) -> ColumnElement[bool]:
        return and_(_begins(table.c.key, word), table.c.kind == TITLE)

    counts = {
        word: conn.execute(
            select(func.count()).select_from(
                select(columns.key).where(has(t.search_key, word)).limit(_COUNTED).subquery()
            )
        ).scalar_one()
        for word in words
    }
    if not all(counts.values()):
        return []
    rarest, *others = sorted(words, key=lambda word: (counts[word], -len(word)))
    query = select(columns.holder_kind, columns.holder, literal(text).label("found")).where(has(t.search_key, rarest))
    for number, word in enumerate(others):
        other = t.search_key.alias(f"other_{number}")
        same = (other.c.holder_kind == columns.holder_kind) & (other.c.holder == columns.holder)
        query = query.where(select(other.c.key).where(same, has(other, word)).exists())
    # No order beside that of the index: the first hits are enough, however many there are.
    return [_Hit(TITLE, row.found, row.holder_kind, row.holder) for row in conn.execute(query.limit(4 * MOST))]


def _described(conn: Connection, hits: list[_Hit]) -> list[dict[str, Any]]:
    subjects = {(hit.holder_kind, hit.holder) for hit in hits if hit.holder_kind != PROCESS}
    joined = _processes_of_subjects(conn, subjects)
    ocids = {hit.holder for hit in hits if hit.holder_kind == PROCESS} | set(joined.values())
    columns, subject = t.contracting_process.c, t.subject.c
    query = select(columns.ocid, columns.title, columns.office_name).where(columns.ocid.in_(key_set(conn, ocids)))
    processes = {row.ocid: row for row in conn.execute(query)}
    named = {
        (row.kind, row.code): row
        for row in conn.execute(
            select(subject.kind, subject.code, subject.title, subject.office_name).where(
                of_codes(conn, subject.kind, subject.code, subjects)
            )
        )
    }
    found = []
    shown = set()
    for hit in hits:
        own = (hit.holder_kind, hit.holder) if hit.holder_kind != PROCESS else None
        ocid = joined.get(own) if own else hit.holder
        # Each process once, however many of its papers are called so.
        if (ocid or own) in shown:
            continue
        shown.add(ocid or own)
        process, of = processes.get(ocid or ""), named.get(own) if own else None
        found.append(
            {
                "what": hit.what,
                "found": hit.found,
                "ocid": ocid,
                "recorded": process is not None,
                "title": process.title if process else of.title if of else None,
                "office": process.office_name if process else of.office_name if of else None,
                "subject": list(own) if own else None,
            }
        )
    return found


def _processes_of_subjects(conn: Connection, subjects: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The process that each subject is linked to, of several the surest."""
    chosen = {(kind, code) for kind, code in subjects if kind in LINKED_KINDS}
    if not chosen:
        return {}
    link, identity = t.link.c, t.identity.c
    query = (
        select(link.from_kind, link.from_code, identity.ocid)
        .join(t.identity, (identity.kind == link.to_kind) & (identity.key == link.to_code))
        .where(
            of_codes(conn, link.from_kind, link.from_code, chosen),
            link.status.in_(STANDING),
        )
        .order_by(link.confidence, identity.ocid.desc())
    )
    # The last one stands.
    return {(row.from_kind, row.from_code): row.ocid for row in conn.execute(query)}
