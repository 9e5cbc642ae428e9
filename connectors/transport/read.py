"""One service by whichever access method its source is configured to: where the sources' tables meet the transports."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeVar

from pydantic import SecretStr

from connectors.transport import files, inaproc, isb, rest
from connectors.transport.chain import Access
from connectors.transport.parse import mapped
from schemas.errors import SettingsError, StructureError
from schemas.service import UNREADABLE, Page, Service
from schemas.settings import ServiceSettings, Settings, SourceSettings

_Setting = TypeVar("_Setting", str, SecretStr)


class Address(NamedTuple):
    """Where each access method has a service; `{year}`, `{klpd}` and `{lpse}` stand for the scope and the regency.

    `isb` is the name in the path, with `tipe` and `parameter` in the service's own order. `endpoint` is INAPROC's,
    below v1, or with `legacy/` before it where v1 has none; None where neither offers the service; `params` is its
    query. `lkpp`: it is LKPP that offers the service, over ISB and INAPROC; else a system of the regency's own does
    (see `own_address`).
    """

    isb: str
    tipe: str
    parameter: str
    endpoint: str | None = None
    params: tuple[tuple[str, str], ...] = (("kode_klpd", "{klpd}"), ("tahun", "{year}"))
    lkpp: bool = True


def resumes(transport: str) -> bool:
    """Whether a broken fetch goes on from its last page's cursor: where pages are asked for one by one. The others send
    a list whole, and are read again from its beginning."""
    return transport in ("inaproc", "rest", "sipd")


def own_address(service: str, endpoint: str | None = None) -> Address:
    """Where a system of the regency's own has a service: REST by fiscal year below the source's url, or files."""
    return Address(service, "", "", endpoint, (("tahun", "{year}"),), lkpp=False)


def read(
    name: str,
    addresses: Mapping[str, Address],
    service: Service,
    settings: Settings,
    source: SourceSettings,
    scope: str,
    cursor: str | None = None,
) -> Iterator[Page]:
    """Pages of a service, rows as received; none where the source, as configured, does not offer it.

    `name` is the source's name in settings, `addresses` are those of its services; `scope` is a fiscal year, or "all"
    for a list that is the same for every year, `cursor` the last staged page's. Raises SettingsError, SourceUnavailable
    or StructureError; their texts are fit for an operator and free of secrets.
    """
    if service.yearly and scope == "all" and source.transport != "files":
        raise SettingsError(f"{service.name} is read by fiscal year; give one instead of {scope!r}")
    if cursor is not None and not resumes(source.transport):
        raise StructureError(f"{service.name} is read whole, and can't be gone on with; it begins anew next time")
    words = {"year": scope, "klpd": settings.kd_klpd, "lpse": settings.kd_lpse}
    environment = f"JEJAK_SOURCES__{name.upper()}__"
    own, address = source.service(service.name), addresses[service.name]
    endpoint = own.endpoint or address.endpoint
    params = {key: value.format_map(words) for key, value in address.params}
    match source.transport:
        case "files":
            folder = source.folder or settings.dumps
            if not folder:
                raise SettingsError(f"no folder of dumps for {name}; set JEJAK_DUMPS or {environment}FOLDER")
            stems = [service.name, address.isb, *(stem.partition("-")[2] for stem in (service.name, address.isb))]
            # A list that is the same for every year lies with the newest one where dumps lie by year.
            year = str(max(settings.fiscal_years, default="")) if scope == "all" else scope
            yield from files.pages(folder, stems, service, own, year)
        case "isb" if address.lkpp:
            key = source.api_keys.get(service.name, source.api_key)
            answer = isb.pages(
                source,
                url=_given(source.url, f"{environment}URL"),
                key=_given(key, f"{environment}API_KEY"),
                service_no=_numbered(own.service_no or source.service_no, name, service),
                name=address.isb,
                tipe=address.tipe,
                parameter=address.parameter.format_map(words),
                credential=f"{environment}API_KEY",
            )
            yield from _mapped(answer, own)
        case "inaproc" | "rest" if address.lkpp or source.transport == "rest":
            if endpoint is None:
                return
            variable = f"{environment}TOKEN"
            access = Access(source, "", source.token, variable, cursor, service.volatile, own.check_total)
            # Settings of version 0.1 have `rest` where they mean INAPROC.
            if address.lkpp:
                access = access._replace(url=source.url or inaproc.BASE, token=_given(source.token, variable))
                answer = inaproc.pages(access, endpoint, params)
            else:
                access = access._replace(url=_given(source.url, f"{environment}URL"))
                answer = rest.pages(access, endpoint, params)
            yield from _mapped(answer, own)
        case transport:
            offered = "inaproc, isb or files" if address.lkpp else "rest or files"
            where = f'transport of services."{service.name}"' if own.transport else f"{environment}TRANSPORT"
            raise SettingsError(f"{name} can't be read by {transport}; set {where} to {offered}")


def _mapped(pages: Iterator[Page], settings: ServiceSettings) -> Iterator[Page]:
    """The pages with rows under our field names. A page may lack a column that its rows leave empty."""
    seen: set[str] = set()
    for page in pages:
        rows = mapped(page.rows, settings, page.name, seen)
        seen.update(name for row in page.rows for name in row if name != UNREADABLE)
        yield replace(page, rows=rows)


def _numbered(number: str | None, name: str, service: Service) -> str:
    """The number that LKPP has given a subscriber for a service."""
    if number is None:
        raise SettingsError(
            f'ISB knows a service by its number: set service_no in [sources.{name}.services."{service.name}"]; '
            "it stands beside the key in the subscription"
        )
    return number


def _given(value: _Setting | None, variable: str) -> _Setting:
    if value is None:
        raise SettingsError(f"the source has no {variable.rpartition('__')[2].lower()}; set {variable}")
    return value
