"""Lists over HTTP in pages: INAPROC API v1, and the interfaces of a regency's own systems."""

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests
from pydantic import SecretStr

from connectors.transport.http import get_json
from connectors.transport.parse import Row, as_rows
from schemas.errors import StructureError
from schemas.service import Page
from schemas.settings import SourceSettings

# What an answer holds: its rows, and the cursor of the next page where there is one.
_Opened = tuple[list[Row], str | None]


def pages(
    source: SourceSettings,
    *,
    url: str,
    token: SecretStr,
    endpoint: str,
    params: Mapping[str, str],
    credential: str,
    cursor: str | None = None,
) -> Iterator[Page]:
    """Every page of an endpoint of INAPROC from `cursor` on (None: the first): pages are chained by cursors in an
    envelope `{success, data, meta}`. `data` may be null on a page that has a next one.

    Raises as `http.get_json`, and StructureError for an envelope that is not as promised or cursors that lead nowhere.
    """
    shown = f"INAPROC {endpoint}"
    params = {**params, "limit": str(source.page_size)}
    yield from _chained(
        source,
        SecretStr(f"{url.rstrip('/')}/{endpoint}"),
        shown,
        credential,
        token,
        lambda at: params if at is None else {**params, "cursor": at},
        lambda answer: _open(answer, shown),
        cursor,
    )


def own_pages(
    source: SourceSettings,
    *,
    url: str,
    token: SecretStr | None,
    endpoint: str,
    params: Mapping[str, str],
    credential: str,
    cursor: str | None = None,
) -> Iterator[Page]:
    """Every page of a list of a regency's own system from `cursor` on (None: the first), with a bearer token if given.

    The answer is a bare array, the whole list, or an object whose `data` are the rows and which leads to its next page
    by INAPROC's `meta.cursor` or by Laravel's `next_page_url` or `links.next`. A cursor is what the next page's query
    adds to `params` (`page=2`): Laravel leaves the filters of the first query out of its links.

    Raises as `http.get_json`, and StructureError for what is no such answer, or a page that leads nowhere or elsewhere.
    """
    address = f"{url.rstrip('/')}/{endpoint.lstrip('/')}"
    shown = f"REST {endpoint}"
    yield from _chained(
        source,
        SecretStr(address),
        shown,
        credential,
        token,
        lambda at: {**params, **dict(parse_qsl(at or "", keep_blank_values=True))},
        lambda answer: _open_own(answer, address, shown),
        cursor,
    )


def _chained(
    source: SourceSettings,
    address: SecretStr,
    shown: str,
    credential: str,
    token: SecretStr | None,
    query: Callable[[str | None], Mapping[str, str]],
    opened: Callable[[object], _Opened],
    cursor: str | None,
) -> Iterator[Page]:
    """The pages of an address from `cursor` on, to the one without a next."""
    asked = set() if cursor is None else {cursor}
    first = True
    with requests.Session() as session:
        while True:
            answer = get_json(
                session, address, shown=shown, credential=credential, source=source, params=query(cursor), token=token
            )
            rows, cursor = opened(answer)
            if cursor is not None and not rows and not first:
                raise StructureError(f"{shown} sent an empty page that promises more rows; try again later")
            if cursor in asked:
                raise StructureError(f"{shown} sent the same cursor twice: its pages never end; try again later")
            yield Page(rows, cursor, name=shown)
            if cursor is None:
                return
            asked.add(cursor)
            first = False


def _open(answer: object, shown: str) -> _Opened:
    """Rows and next cursor of INAPROC's envelope."""
    if not isinstance(answer, dict) or "data" not in answer or not isinstance(answer.get("meta"), dict):
        raise StructureError(f"{shown} sent no envelope of success, data and meta; see by hand what it says")
    if answer.get("success") is False:
        raise StructureError(f"{shown} says of itself that it failed (success is false); see by hand what it says")
    rows = [] if answer["data"] is None else as_rows(answer["data"], shown)
    if not answer["meta"].get("has_more"):
        return rows, None
    cursor = answer["meta"].get("cursor")
    if not isinstance(cursor, str) or not cursor:
        raise StructureError(f"{shown} has more rows but gives no cursor to them; try again later or lower page_size")
    return rows, cursor


def _open_own(answer: object, address: str, shown: str) -> _Opened:
    """Rows and next cursor of what a regency's own system answers."""
    if isinstance(answer, list):
        return as_rows(answer, shown), None
    if not isinstance(answer, dict) or "data" not in answer:
        raise StructureError(f"{shown} sent neither a list nor an object with data; see by hand what it says")
    if answer.get("success") is False:
        raise StructureError(f"{shown} says of itself that it failed (success is false); see by hand what it says")
    rows = [] if answer["data"] is None else as_rows(answer["data"], shown)
    # In other answers of Laravel `links` and `meta` are lists, or not there.
    meta, links = (part if isinstance(part, dict) else {} for part in (answer.get("meta"), answer.get("links")))
    cursor = meta.get("cursor") if meta.get("has_more", True) else None
    if cursor:
        return rows, urlencode({"cursor": str(cursor)})
    link = answer.get("next_page_url") or links.get("next")
    if not link:
        if meta.get("has_more"):
            raise StructureError(f"{shown} has more rows but gives no cursor to them; see by hand what it says")
        return rows, None
    there, here = urlsplit(urljoin(address, str(link))), urlsplit(address)
    # Scheme and port may differ: an application behind a proxy doesn't know its own address.
    if there.hostname != here.hostname:
        raise StructureError(
            f"{shown} says that its next page is on another host, where the token must not go; set the source's url to "
            "that host if the system has moved there"
        )
    if not there.query:
        raise StructureError(f"{shown} gives a next page whose address has no query to ask for; see by hand what it is")
    return rows, there.query
