"""INAPROC API v1: bearer token, pages chained by cursors in an envelope `{success, data, meta}`."""

from collections.abc import Iterator, Mapping

import requests
from pydantic import SecretStr

from connectors.transport.http import get_json
from connectors.transport.parse import as_rows
from schemas.errors import StructureError
from schemas.service import Page
from schemas.settings import SourceSettings


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
    """Every page of the endpoint from `cursor` on (None: the first). `data` may be null on a page that has a next one.

    Raises as `http.get_json`, and StructureError for an envelope that is not as promised or cursors that lead nowhere.
    """
    shown = f"INAPROC {endpoint}"
    address = SecretStr(f"{url.rstrip('/')}/{endpoint}")
    asked = set() if cursor is None else {cursor}
    first = True
    with requests.Session() as session:
        while True:
            query = {**params, "limit": str(source.page_size)} | ({} if cursor is None else {"cursor": cursor})
            answer = get_json(
                session, address, shown=shown, credential=credential, source=source, params=query, token=token
            )
            rows, cursor = _open(answer, shown)
            if cursor is not None and not rows and not first:
                raise StructureError(f"{shown} sent an empty page that promises more rows; try again later")
            if cursor in asked:
                raise StructureError(f"{shown} sent the same cursor twice: its pages never end; try again later")
            yield Page(rows, cursor, name=shown)
            if cursor is None:
                return
            asked.add(cursor)
            first = False


def _open(answer: object, shown: str) -> tuple[list[dict[str, object]], str | None]:
    """Rows and next cursor of an envelope."""
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
