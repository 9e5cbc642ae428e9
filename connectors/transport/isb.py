"""LKPP's ISB: one bare JSON array per service, fiscal year and institution; the key is part of the path."""

from collections.abc import Iterator
from urllib.parse import quote

from pydantic import SecretStr

from connectors.transport.http import Request, budget_of, get_listing, new_session
from connectors.transport.logs import hide
from connectors.transport.parse import paged
from schemas.errors import StructureError
from schemas.service import Page
from schemas.settings import SourceSettings

hide(r"/api/[^/]+/json/", "/api/***/json/")


def pages(
    source: SourceSettings,
    *,
    url: str,
    key: SecretStr,
    service_no: str,
    name: str,
    tipe: str,
    parameter: str,
    credential: str,
) -> Iterator[Page]:
    """The whole answer, by pages that can't be gone on with; one without rows for an empty body.

    `tipe` and `parameter` are the service's `:` lists of java.sql.Types (4 integer, 12 text) and values.
    Raises as `http.get_listing`, and StructureError for JSON that is not a list of objects.
    """
    shown = f"ISB {name} (service_no {service_no})"
    path = f"json/{quote(service_no, safe='')}/{name}/tipe/{tipe}/parameter/{quote(parameter, safe=':')}"
    address = SecretStr(f"{url.rstrip('/')}/api/{quote(key.get_secret_value().strip(), safe='')}/{path}")
    with new_session() as session:
        answer = get_listing(session, Request(address, shown, credential, source), budget_of(source))
    if answer is not None and not answer.bare:
        raise StructureError(f"{shown} holds a dict where a list of rows is due; open it by hand to see what it holds")
    for rows, done, more in paged([] if answer is None else answer.rows()):
        yield Page(rows, str(done) if more else None, name=f"ISB {name} {parameter}")
