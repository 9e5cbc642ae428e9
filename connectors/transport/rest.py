"""Lists over HTTP as a regency's own systems offer them."""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from connectors.transport.belief import total_of
from connectors.transport.chain import Access, Opened, chained
from connectors.transport.parse import Listing
from schemas.errors import StructureError
from schemas.service import Page


def pages(access: Access, endpoint: str, params: Mapping[str, str]) -> Iterator[Page]:
    """Every page of a list of a regency's own system, with a bearer token if there is one.

    The answer is a bare array, the whole list, or an object whose `data` are the rows and which leads to its next page
    by INAPROC's `meta.cursor`, by Laravel's `next_page_url` or `links.next`, or by a `current_page` before `last_page`.
    What the next page's query adds to `params` (`page=2`) is the source's cursor: Laravel leaves the filters of the
    first query out of its links.

    Raises as `chain.chained`, and StructureError for what is no such answer, or a page that leads nowhere or elsewhere.
    """
    shown = f"REST {endpoint}"
    return chained(
        access,
        endpoint,
        shown,
        lambda at: {**params, **dict(parse_qsl(at or "", keep_blank_values=True))},
        lambda answer, _: _open(answer, access.address(endpoint), shown),
    )


def _open(answer: Listing | None, address: str, shown: str) -> Opened:
    if answer is not None and answer.bare:
        return Opened(answer.rows())
    if answer is None or (answer.count is None and "data" not in answer.members):
        raise StructureError(f"{shown} sent neither a list nor an object with data; see by hand what it holds")
    members = answer.members
    if answer.count is None and members["data"] is not None:
        kind = type(members["data"]).__name__
        raise StructureError(f"{shown} holds a {kind} where a list of rows is due; see by hand what it holds")
    # In other answers of Laravel `links` and `meta` are lists, or not there.
    meta, links = (part if isinstance(part, dict) else {} for part in (members.get("meta"), members.get("links")))
    total = total_of(members, meta, members.get("pagination"), meta.get("pagination"))
    cursor = meta.get("cursor") if meta.get("has_more", True) else None
    if cursor:
        return Opened(answer.rows(), urlencode({"cursor": str(cursor)}), total)
    link = members.get("next_page_url") or links.get("next")
    if not link:
        for part in (members, meta, members.get("pagination")):
            page, last = (part.get("current_page"), part.get("last_page")) if isinstance(part, Mapping) else (0, 0)
            if isinstance(page, int) and isinstance(last, int) and page < last:
                return Opened(answer.rows(), urlencode({"page": page + 1}), total, counted=True)
        if meta.get("has_more"):
            raise StructureError(f"{shown} has more rows but gives no cursor to them; see by hand what it holds")
        return Opened(answer.rows(), None, total)
    there, here = urlsplit(urljoin(address, str(link))), urlsplit(address)
    # Scheme and port may differ: an application behind a proxy doesn't know its own address.
    if there.hostname != here.hostname:
        raise StructureError(
            f"{shown} gives a next page on another host, where the token must not go; set the source's url to "
            "that host if the system has moved there"
        )
    if not there.query:
        raise StructureError(f"{shown} gives a next page whose address has no query to ask for; see by hand what it is")
    counted = not any("cursor" in name.lower() for name, _ in parse_qsl(there.query))
    return Opened(answer.rows(), there.query, total, counted)
