"""SIPD-RI, the Ministry of Home Affairs' system for budgets and payments: lists by `page` and `limit`.

Paths and fields are those of public clients (`sources.md` 9.4). Not yet tried against the real system.
"""

from collections.abc import Iterator, Mapping

from pydantic import SecretStr

from connectors.transport.chain import Opened, chained
from connectors.transport.parse import Listing
from schemas.errors import StructureError
from schemas.service import Page
from schemas.settings import SourceSettings

BASE = "https://service.sipd.kemendagri.go.id"
_TOTAL = "x-pagination-total-count"


def pages(
    source: SourceSettings,
    *,
    url: str,
    token: SecretStr,
    path: str,
    params: Mapping[str, str],
    credential: str,
    cursor: str | None = None,
    check_total: bool = True,
) -> Iterator[Page]:
    """Every page of a list from `cursor` on (None: the first). How many rows there are stands in a header; without it
    the first page that isn't full is the last.

    Raises as `chain.chained`, and StructureError for an answer that is no list of rows.
    """
    shown = f"SIPD {path}"
    yield from chained(
        source,
        SecretStr(f"{url.rstrip('/')}/{path}"),
        shown=shown,
        credential=credential,
        token=token,
        query=lambda at: {**params, "page": at or "1", "limit": str(source.page_size)},
        opened=lambda answer, at: _open(answer, int(at or 1), source.page_size, shown),
        cursor=cursor,
        check_total=check_total,
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
    return Opened(answer.rows(), str(page + 1) if more else None, total)
