"""One service by whichever access method its source is configured to: where the sources' tables meet the transports."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple, TypeVar

from pydantic import SecretStr

from connectors.transport import files, isb, rest
from connectors.transport.parse import as_rows, mapped
from schemas.errors import SettingsError, StructureError
from schemas.service import Page, Service
from schemas.settings import ServiceSettings, Settings, SourceSettings

_Setting = TypeVar("_Setting", str, SecretStr)


class Address(NamedTuple):
    """Where each access method has a service; `{year}`, `{klpd}` and `{lpse}` stand for the scope and the regency.

    `isb` is the name in the path, with `tipe` and `parameter` in the service's own order. `endpoint` is INAPROC's, None
    where v1 offers none; `params` is its query. `history`: the rows are lists inside those of the endpoint. `lkpp`: it
    is LKPP that offers the service, over ISB and INAPROC; else a system of the regency's own does (see `own_address`).
    """

    isb: str
    tipe: str
    parameter: str
    endpoint: str | None = None
    params: tuple[tuple[str, str], ...] = (("kode_klpd", "{klpd}"), ("tahun", "{year}"))
    history: str | None = None
    lkpp: bool = True


def own_address(service: str, endpoint: str | None = None) -> Address:
    """Where a system of the regency's own has a service: REST by fiscal year below the source's url, or files."""
    return Address(service, "", "", endpoint, (("tahun", "{year}"),), lkpp=False)


def read(
    name: str,
    address: Address,
    service: Service,
    settings: Settings,
    source: SourceSettings,
    scope: str,
    cursor: str | None = None,
) -> Iterator[Page]:
    """Pages of a service, rows as received, from `cursor` on; none where the source does not offer the service.

    `name` is the source's name in settings, `scope` a fiscal year or "all". Raises SettingsError, SourceUnavailable or
    StructureError; what they say is fit for an operator and free of secrets.
    """
    if service.yearly and scope == "all" and source.transport != "files":
        raise SettingsError(f"{service.name} is read by fiscal year; give one instead of {scope!r}")
    words = {"year": scope, "klpd": settings.kd_klpd, "lpse": settings.kd_lpse}
    environment = f"JEJAK_SOURCES__{name.upper()}__"
    own = source.service(service.name)
    match source.transport:
        case "files":
            folder = source.folder or settings.dumps
            if not folder:
                raise SettingsError(f"no folder of dumps for {name}; set JEJAK_DUMPS or {environment}FOLDER")
            stems = [service.name, address.isb, *(stem.partition("-")[2] for stem in (service.name, address.isb))]
            # A list that is the same for every year lies with the newest one where dumps lie by year.
            year = str(max(settings.fiscal_years, default="")) if scope == "all" else scope
            yield from files.pages(folder, stems, own, year, cursor)
        case "isb" if address.lkpp:
            key = source.api_keys.get(service.name, source.api_key)
            answer = isb.pages(
                source,
                url=_given(source.url, f"{environment}URL"),
                key=_given(key, f"{environment}API_KEY"),
                # LKPP gives a number per subscriber; a stand-in for it asks for none.
                service_no=own.service_no or "0",
                name=address.isb,
                tipe=address.tipe,
                parameter=address.parameter.format_map(words),
                credential=f"{environment}API_KEY",
            )
            yield from _mapped(answer, own)
        case "rest":
            endpoint = own.endpoint or address.endpoint
            if endpoint is None:
                return
            url = _given(source.url, f"{environment}URL")
            params = {key: value.format_map(words) for key, value in address.params}
            credential = f"{environment}TOKEN"
            if address.lkpp:
                token = _given(source.token, credential)
                pages = rest.pages(
                    source,
                    url=url,
                    token=token,
                    endpoint=endpoint,
                    params=params,
                    credential=credential,
                    cursor=cursor,
                )
            else:
                pages = rest.own_pages(
                    source,
                    url=url,
                    token=source.token,
                    endpoint=endpoint,
                    params=params,
                    credential=credential,
                    cursor=cursor,
                )
            flat = pages if address.history is None else (_flat(page, address.history, service) for page in pages)
            yield from _mapped(flat, own)
        case transport:
            raise SettingsError(f"{name} can't be read by {transport}; set {environment}TRANSPORT to rest or files")


def _mapped(pages: Iterator[Page], settings: ServiceSettings) -> Iterator[Page]:
    """The pages with rows under our field names. A page may lack a column that its rows leave empty."""
    seen: set[str] = set()
    for page in pages:
        rows = mapped(page.rows, settings, page.name, seen)
        seen.update(name for row in page.rows for name in row)
        yield replace(page, rows=rows)


def _given(value: _Setting | None, variable: str) -> _Setting:
    if value is None:
        raise SettingsError(f"the source has no {variable.rpartition('__')[2].lower()}; set {variable}")
    return value


def _flat(page: Page, history: str, service: Service) -> Page:
    """The entries of each row's list `history` as rows, with those fields of the row around them that they too have."""
    if page.rows and not any(history in row for row in page.rows):
        raise StructureError(f"{page.name} sent rows without {history}, so {service.name} can't be read from them")
    known = service.model.model_fields.keys() | service.aliases.keys()
    rows = []
    for outer in page.rows:
        # A non-tender's row does not name its contract: the field is there all the same, and empty.
        common = {"no_kontrak": None, **{name: value for name, value in outer.items() if name in known}}
        entries = outer.get(history) or []
        rows += [common | entry for entry in as_rows(entries, f"{page.name}, {history}")]
    return Page(rows, page.cursor, page.observed_at, page.name)
