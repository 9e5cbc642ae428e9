"""What operators say that words mean which no shipped code table knows. They count after the shipped tables: where one
of these knows a word, it stands."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, func, literal, select

from pipeline.clock import utc_now
from pipeline.configure import meant
from pipeline.decisions import account, check, digest, note_decisions
from pipeline.queues import enqueue_processes
from pipeline.registry import SOURCES
from schemas.errors import SettingsError, StructureError
from transforms import codes
from transforms.parties import scrub
from warehouse import tables as t
from warehouse.load import upsert_rows

Word = tuple[str, str, str]  # source, list of its code table, plain word

COLUMNS = ("source", "list", "word", "code", "by", "at", "note")
"""The columns of the CSV that `to_csv` writes and `from_csv` reads."""


def meanings(conn: Connection) -> codes.Meanings:
    """The meanings that operators gave."""
    return {(row.source, row.code_list, row.word): row.code for row in conn.execute(select(t.code_meaning))}


def unknown_words(conn: Connection) -> list[dict[str, Any]]:
    """Words that no shipped table knows, by field, those without a meaning first, then those of most processes: `{
    "source", "list", "service", "field", "word", "processes", "code", "by", "at", "note", "seen", "choices"}`, where
    `code` is the meaning that an operator gave, None where nobody has, `seen` the state of the two, for `give`, and
    `choices` are the codes that it may have. At last the words with a meaning that nothing uses any more.
    """
    use, given = t.code_use.c, t.code_meaning.c
    same = (given.source == use.source) & (given.code_list == use.code_list) & (given.word == use.word)
    query = (
        select(
            use.source,
            use.code_list,
            use.word,
            func.min(use.field).label("field"),
            func.min(use.service).label("service"),
            func.count(use.ocid.distinct()).label("processes"),
            func.min(given.code).label("code"),
            func.min(given.decided_by).label("by"),
            func.min(given.decided_at).label("at"),
            func.min(given.note).label("note"),
        )
        .join_from(t.code_use, t.code_meaning, same, isouter=True)
        .group_by(use.source, use.code_list, use.word)
        .order_by(
            func.min(given.code).is_not(None),
            func.count(use.ocid.distinct()).desc(),
            use.source,
            use.code_list,
            use.word,
        )
    )
    unused = select(
        given.source,
        given.code_list,
        given.word,
        literal("-").label("field"),
        literal("-").label("service"),
        literal(0).label("processes"),
        given.code,
        given.decided_by.label("by"),
        given.decided_at.label("at"),
        given.note,
    ).where(~select(use.word).where(same).exists())
    found = []
    for row in (*conn.execute(query), *conn.execute(unused.order_by(given.source, given.code_list, given.word))):
        # A table of another version may know the word by now.
        if (row.code_list, row.word) in codes.table(row.source):
            continue
        word = (row.source, row.code_list, row.word)
        found.append(
            {
                "source": row.source,
                "list": row.code_list,
                "word": row.word,
                **{name: getattr(row, name) for name in ("field", "service", "processes", "code", "by", "at", "note")},
                "seen": digest([*word, row.code]),
                "choices": codes.choices(row.source, row.code_list),
            }
        )
    return found


def users_of(conn: Connection, word: Word, limit: int | None = None) -> list[str]:
    """The processes that use a word, by OCID."""
    use = t.code_use.c
    query = select(use.ocid).where(use.source == word[0], use.code_list == word[1], use.word == word[2])
    return list(conn.execute(query.distinct().order_by(use.ocid).limit(limit)).scalars())


def give(conn: Connection, word: Word, code: str, who: str, note: str | None, seen: str = "") -> list[str]:
    """Let a word mean a code, and queue the processes that use it; returns these. Empty text means that the word is
    known and has no OCDS code. `seen` is its state as `unknown_words` showed it, empty for none.

    Raises SettingsError for a code that the list doesn't use and for a word that the shipped table knows, Conflict
    where the state has changed.
    """
    word = _checked(word, code)
    before = meanings(conn).get(word)
    check({_name(word): seen}, {_name(word): digest([*word, before])})
    return _set(conn, word, before, code, who, note, seen)


def take_back(conn: Connection, word: Word, who: str, note: str | None, seen: str = "") -> list[str]:
    """Undo `give`: the word means nothing again, its processes are queued. Raises as `give`; SettingsError where it
    has no meaning."""
    source, code_list, spelled = word
    word = (source, code_list, codes.plain(spelled))
    before = meanings(conn).get(word)
    check({_name(word): seen}, {_name(word): digest([*word, before])})
    if before is None:
        raise SettingsError(f"nobody gave {_name(word)} a meaning; `jejak codes list` shows those that somebody did")
    return _set(conn, word, before, None, who, note, seen)


def _set(
    conn: Connection, word: Word, before: str | None, after: str | None, who: str, note: str | None, seen: str
) -> list[str]:
    source, code_list, plain = word
    if after is None:
        given = t.code_meaning.c
        conn.execute(
            delete(t.code_meaning).where(given.source == source, given.code_list == code_list, given.word == plain)
        )
    else:
        row = {"code": after, "decided_by": account(who), "decided_at": utc_now(), "note": scrub(note)}
        upsert_rows(conn, t.code_meaning, [{"source": source, "code_list": code_list, "word": plain, **row}])
        _forget_signals(conn, word)
    note_decisions(conn, "code", [(_name(word), _shown(before), _shown(after), seen)], who, note)
    ocids = users_of(conn, word)
    enqueue_processes(conn, ocids)
    return ocids


def _forget_signals(conn: Connection, word: Word) -> None:
    """A word that has a meaning is no news; where it loses it, the next build signals it again."""
    use, signal = t.code_use.c, t.signal.c
    query = select(use.service, use.field).where(use.source == word[0], use.code_list == word[1], use.word == word[2])
    for service, field in conn.execute(query.distinct()).all():
        same = (signal.source == word[0], signal.service == service, signal.field == field, signal.kind == "code")
        for value in conn.execute(select(signal.value).where(*same)).scalars().all():
            if codes.plain(value) == word[2]:
                conn.execute(delete(t.signal).where(*same, signal.value == value))


def _shown(code: str | None) -> str:
    return "" if code is None else code or "-"


def _name(word: Word) -> str:
    return "|".join(word)


def _checked(word: Word, code: str) -> Word:
    source, code_list, spelled = word
    plain = codes.plain(spelled)
    if source not in SOURCES:
        raise SettingsError(f"unknown source {source}; {meant(source, list(SOURCES))}")
    table = codes.table(source)
    lists = sorted({name for name, _ in table})
    if code_list not in lists:
        raise SettingsError(f"the code table of {source} has no list {code_list}: it has {', '.join(lists)}")
    if not plain:
        raise SettingsError("a word is needed; `jejak codes list` shows which have no meaning")
    if (code_list, plain) in table:
        raise SettingsError(
            f"the code table of {source} knows {spelled!r} already ({table[code_list, plain] or 'no code'}): change "
            f"transforms/codes/{source}.csv, then `jejak rebuild`"
        )
    if code not in codes.choices(source, code_list):
        known = ", ".join(filter(None, codes.choices(source, code_list)))
        raise SettingsError(f"{code!r} is no code of {code_list}: it has {known}, or empty text for a word without one")
    return source, code_list, plain


def to_csv(conn: Connection) -> str:
    """All meanings as CSV with the columns `COLUMNS`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    given = t.code_meaning.c
    for row in conn.execute(select(t.code_meaning).order_by(given.source, given.code_list, given.word)):
        writer.writerow([row.source, row.code_list, row.word, row.code, row.decided_by, row.decided_at, row.note or ""])
    return text.getvalue()


def from_csv(conn: Connection, lines: Iterable[str], who: str) -> dict[str, int]:
    """Take over meanings from CSV, of which `source`, `list`, `word` and `code` are needed: `{"applied", "unchanged"}`
    and how many `processes` are queued.

    Raises StructureError for a file without these columns, SettingsError (which names the line) as `give`; then nothing
    is to be written.
    """
    reader = csv.DictReader(lines)
    if missing := [name for name in COLUMNS[:4] if name not in (reader.fieldnames or ())]:
        raise StructureError(
            f"the file has no column {', '.join(missing)}: its first line names {', '.join(COLUMNS[:4])}, as "
            "`jejak codes export` writes it"
        )
    counts = {"applied": 0, "unchanged": 0, "processes": 0}
    known = meanings(conn)
    queued: set[str] = set()
    for number, line in enumerate(reader, start=2):
        source, code_list, spelled, code = ((line[name] or "").strip() for name in COLUMNS[:4])
        try:
            word = _checked((source, code_list, spelled), code)
        except SettingsError as error:
            raise SettingsError(f"line {number}: {error}") from None
        if known.get(word) == code:
            counts["unchanged"] += 1
            continue
        queued.update(_set(conn, word, known.get(word), code, who, line.get("note"), ""))
        known[word] = code
        counts["applied"] += 1
    return {**counts, "processes": len(queued)}
