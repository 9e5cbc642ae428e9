"""INAPROC, LKPP's API: v1 (pages in an envelope), and `/api/legacy/` (whole lists) for what v1 lacks, by one token."""

from collections.abc import Iterator, Mapping

from connectors.transport.belief import total_of
from connectors.transport.chain import Access, Opened, chained
from connectors.transport.parse import Listing
from schemas.errors import StructureError
from schemas.service import Page

BASE = "https://data.inaproc.id/api"
LEGACY = "legacy/"


def pages(access: Access, endpoint: str, params: Mapping[str, str]) -> Iterator[Page]:
    """Every page of an endpoint. The url ends in /api; `endpoint` is one of v1, or of the legacy interface if it begins
    with `legacy/`.

    v1 chains its pages by cursors in an envelope `{success, data, meta}`; `data` may be null on a page that has a next
    one, and without `meta` the answer is the whole list. `limit` is always sent: v1's default is one row. The legacy
    interface answers with the bare list; nothing at all is an empty one.

    Raises as `chain.chained`, and StructureError for an answer that is not as promised.
    """
    access = access._replace(url=access.url.rstrip("/").removesuffix("/v1").removesuffix("/legacy"))
    legacy = endpoint.startswith(LEGACY)
    path = endpoint if legacy else f"v1/{endpoint.removeprefix('v1/')}"
    shown = f"INAPROC {path}"
    if not legacy:
        params = {**params, "limit": str(access.source.page_size)}
    return chained(
        access,
        path,
        shown,
        lambda at: params if at is None else {**params, "cursor": at},
        lambda answer, _: _open(answer, shown, legacy=legacy),
    )


def _open(answer: Listing | None, shown: str, *, legacy: bool) -> Opened:
    if answer is None and legacy:
        return Opened([])
    if answer is not None and answer.bare and legacy:
        return Opened(answer.rows())
    if answer is None or "success" not in answer.members or (answer.count is None and "data" not in answer.members):
        raise StructureError(f"{shown} sent no envelope of success and data; see by hand what it holds")
    if answer.count is None and answer.members["data"] is not None:
        kind = type(answer.members["data"]).__name__
        raise StructureError(f"{shown} holds a {kind} where a list of rows is due; see by hand what it holds")
    meta = answer.members.get("meta")
    if not isinstance(meta, dict):
        meta = {}
    total = total_of(meta, answer.members)
    if not meta.get("has_more"):
        return Opened(answer.rows(), None, total)
    cursor = meta.get("cursor")
    # Base64 text as a rule; a number may lie beyond what other programs read exactly, so all its digits are kept.
    if isinstance(cursor, bool) or not isinstance(cursor, str | int) or cursor == "":
        raise StructureError(f"{shown} has more rows but gives no cursor to them; try again later or lower page_size")
    return Opened(answer.rows(), str(cursor), total)
