"""Lists over HTTP in pages: each answer leads to the next, and all of them are believed only if they agree."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote

from pydantic import SecretStr

from connectors.transport.http import Request, budget_of, get_listing, new_session
from connectors.transport.parse import Listing, Row, paged
from schemas.errors import StructureError
from schemas.service import Page
from schemas.settings import SourceSettings


class Opened(NamedTuple):
    """What an answer holds: its rows, the cursor of the next page where there is one, how many rows the whole list has
    where the answer gives it. `counted`: the next page is asked for by its number, so that a row deleted meanwhile
    would move others out of sight."""

    rows: Iterable[Row]
    next: str | None = None
    total: int | None = None
    counted: bool = False


class _Mark(NamedTuple):
    """A page's cursor for the pipeline: rows so far, the total claimed, the digest of the page (of counted pages those
    of all so far, each behind its own cursor), and the source's cursor to the next page; without one the page lies
    inside an answer, where nothing can be gone on with."""

    rows: int
    total: int | None
    digests: str
    next: str

    def __str__(self) -> str:
        return f"{self.rows}/{'' if self.total is None else self.total}/{self.digests}/{self.next}"


def _marked(cursor: str, shown: str) -> _Mark:
    rows, total, digests, following = [*cursor.split("/", 3), "", "", ""][:4]
    if not (rows.isdigit() and following):
        raise StructureError(f"{shown} can't be gone on with where the fetch broke off; it begins anew next time")
    return _Mark(int(rows), int(total) if total else None, digests, following)


def _written(read: Mapping[str, str]) -> str:
    """The digests of counted pages by their cursors, as a mark holds them."""
    return ",".join(f"{quote(at, safe='')}~{digest}" for at, digest in read.items())


def _read(written: str) -> dict[str, str]:
    pages = (part.partition("~") for part in written.split(",") if "~" in part)
    return {unquote(at): digest for at, _, digest in pages}


class Access(NamedTuple):
    """How the lists of a system are read: below `url`, with `token`, which `credential` (an environment variable) sets;
    from `cursor` on (None: the first page).

    `volatile` are fields that differ each time that a row is sent; `check_total`: the rows must be as many as claimed.
    """

    source: SourceSettings
    url: str
    token: SecretStr | None
    credential: str
    cursor: str | None = None
    volatile: Collection[str] = ()
    check_total: bool = True

    def address(self, path: str) -> str:
        """Where a list is."""
        return f"{self.url.rstrip('/')}/{path.lstrip('/')}"


def chained(
    access: Access,
    path: str,
    shown: str,
    query: Callable[[str | None], Mapping[str, str]],
    opened: Callable[[Listing | None, str | None], Opened],
) -> Iterator[Page]:
    """The pages of a list, to the one without a next.

    `query` gives the parameters for a source's own cursor, `opened` reads the answer to it. Where pages are asked for
    by their numbers and no total is claimed, all but the last are asked for once more at the end: they must be as they
    were. Raises as `http.get_listing`, and StructureError for a page or cursor that came before, and where the rows are
    not as many as the source claims or have changed while they were read.
    """
    source, check_total = access.source, access.check_total
    request = Request(SecretStr(access.address(path)), shown, access.credential, source, access.token)
    done, total, at = 0, None, None
    seen: set[str] = set()
    read: dict[str, str] = {}
    if access.cursor is not None:
        mark = _marked(access.cursor, shown)
        done, total, at = mark.rows, mark.total, mark.next
        read = _read(mark.digests)
        seen |= set(read.values()) or {mark.digests}
    asked = {at}
    first = True
    budget = budget_of(source)
    with new_session() as session:
        while True:
            answer = get_listing(session, request._replace(params=query(at)), budget)
            rows, following, claimed, counted = opened(answer, at)
            if check_total and None not in (total, claimed) and total != claimed:
                raise StructureError(
                    f"{shown} had {total} rows by its own count and then {claimed}: it changed while it was "
                    "read; run again"
                )
            total = claimed if claimed is not None else total
            before = done
            for number, (page, sent, more) in enumerate(paged(rows)):
                done = before + sent
                if following is not None and not page and not first:
                    raise StructureError(f"{shown} sent an empty page that promises more rows; try again later")
                if following is not None and following in asked:
                    raise StructureError(f"{shown} sent the same cursor twice: its pages never end; try again later")
                digest = _digest(page, access.volatile) if page and number == 0 else ""
                if digest and digest in seen:
                    raise StructureError(
                        f"{shown} sent the same page twice, so others are missing; run again, and if it stays so ask "
                        "the system's keeper"
                    )
                seen.add(digest)
                if counted and number == 0:
                    read[at or ""] = digest
                if not more and following is None and check_total and total is not None and total != done:
                    raise StructureError(
                        f"{shown} has {total} rows by its own count and sent {done}; run again. If `total` counts "
                        "something else there, set check_total = false for the service"
                    )
                if not more and following is None and total is None:
                    for earlier, known in read.items():
                        params = query(earlier or None)
                        again = opened(get_listing(session, request._replace(params=params), budget), earlier or None)
                        if _digest(next(paged(again.rows))[0], access.volatile) != known:
                            raise StructureError(f"{shown} has changed while it was read; run again")
                next_page = _Mark(done, total, _written(read) or digest, "" if more else following or "")
                yield Page(page, str(next_page) if more or following is not None else None, name=shown)
            if following is None:
                return
            at = following
            asked.add(at)
            first = False


def _digest(rows: Iterable[Row], volatile: Collection[str]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for row in rows:
        content = {name: value for name, value in row.items() if name not in volatile}
        digest.update(json.dumps(content, sort_keys=True).encode())
    return digest.hexdigest()
