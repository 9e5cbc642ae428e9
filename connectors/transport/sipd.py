"""SIPD-RI, the Ministry of Home Affairs' system for budgets and payments: lists by `page` and `limit`.

Paths and fields are those of public clients (`sources.md` 9.4). Not yet tried against the real system.
"""

from collections.abc import Iterator, Mapping

from connectors.transport.chain import Access, Opened, chained
from connectors.transport.parse import Listing
from schemas.errors import StructureError
from schemas.service import Page

BASE = "https://service.sipd.kemendagri.go.id"
_TOTAL = "x-pagination-total-count"


def pages(access: Access, path: str, params: Mapping[str, str]) -> Iterator[Page]:
    """Every page of a list. How many rows there are stands in a header; without it the first page that isn't full is
    the last, and the pages before it must be as they were when they are asked for again.

    Raises as `chain.chained`, and StructureError for an answer that is no list of rows.
    """
    shown, limit = f"SIPD {path}", access.source.page_size
    return chained(
        access,
        path,
        shown,
        lambda at: {**params, "page": at or "1", "limit": str(limit)},
        lambda answer, at: _open(answer, int(at or 1), limit, shown),
    )


def _open(answer: Listing | None, page: int, limit: int, shown: str) -> Opened:
    # Nothing at all, and null as data, are how Go writes an empty list.
    if answer is None or (not answer.bare and answer.count is None and answer.members.get("data", "") is None):
        return Opened([], None, 0 if page == 1 else None)
    if answer.count is None:
        raise StructureError(f"{shown} sent neither a list nor an object with data; see by hand what it holds")
    stated = answer.headers.get(_TOTAL, "").strip()
    total = int(stated) if stated.isdigit() else None
    if page == 1 and total is not None and answer.count < min(limit, total):
        raise StructureError(f"{shown} sends {answer.count} rows a page at most; set the source's page_size to that")
    more = page * limit < total if total is not None else answer.count >= limit
    return Opened(answer.rows(), str(page + 1) if more else None, total, counted=more)
