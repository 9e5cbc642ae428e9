"""Settings: everything that is about one regency, one source address or one machine. Read by `pipeline.configure`."""

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from schemas.flags import FlagSettings

FIRST_YEAR = 2011
"""The first fiscal year that SIRUP, the oldest of the sources, holds."""


def _address(text: str) -> str:
    """The address as it is written. Raises ValueError where it is none of the web's."""
    try:
        _HTTP.validate_python(text)
    except ValidationError:
        known = False
    else:
        # What the library would mend stays as it is written.
        known = bool(_WRITTEN.fullmatch(text))
    if not known:
        raise ValueError("must be an address, such as https://kontrak.regency.example/data")
    return text


_HTTP = TypeAdapter(AnyHttpUrl)
_WRITTEN = re.compile(r"https?://[\w\[][^\s\\]*")
Address = Annotated[str, AfterValidator(_address)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


Transport = Literal["isb", "inaproc", "rest", "sipd", "files", "sql"]


class SplitColumn(_Strict):
    """One part of a text column: `{column = "sistem_pengadaan", split = " - ", part = 0}`."""

    column: str = Field(description="the file's column", examples=["sistem_pengadaan"])
    split: str = Field(description="what separates the parts", examples=[" - "])
    part: int = Field(description="which of the parts, from 0", examples=[0])


class ServiceSettings(_Strict):
    """What differs from the default for one service of one source."""

    enabled: bool = Field(True, description="false: the list is not read", examples=[False])
    transport: Transport | None = Field(
        None, description="how this list is read, where otherwise than the source's others", examples=["sipd"]
    )
    service_no: str | None = Field(
        None,
        description="ISB's number of the service, which stands beside the key in the subscription",
        examples=["1234"],
    )
    file: str | None = Field(
        None,
        description="file name or glob in the source's folder, where it isn't called as the service",
        examples=["rekap*.xlsx"],
    )
    sheet: str | None = Field(None, description="the one sheet of a workbook to read", examples=["Kec. Kota"])
    header_row: int | list[int] | None = Field(
        None,
        description="row of a table's header where it isn't found, from 1; two for a header in two rows",
        examples=[4, [4, 5]],
    )
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="what separates the columns of a CSV file", examples=["|"]
    )
    encoding: str | None = Field(None, description="how a file's text is written", examples=["cp1252"])
    check_total: bool = Field(
        True, description="false where `total` in the source's answers isn't the number of rows", examples=[False]
    )
    endpoint: str | None = Field(
        None, description="path of the service below the source's url, where it differs", examples=["api/paket"]
    )
    columns: dict[str, str | SplitColumn] = Field(
        default_factory=dict,
        description="our field -> the column of the file or answer; others keep their own name",
        examples=[{"nomor_kontrak": "No. Kontrak"}],
    )
    constants: dict[str, str | int] = Field(
        default_factory=dict,
        description="fields that the file does not carry -> their value",
        examples=[{"tahun": 2025}],
    )
    ignore: list[str] = Field(
        default_factory=list, description="columns that are left out on purpose", examples=[["keterangan"]]
    )
    usual_rows: int | None = Field(
        None, description="rows expected; by default as many as the warehouse holds", examples=[1200]
    )
    min_share: float = Field(
        0.5, ge=0, le=1, description="fewer rows than this share of the usual fail the service", examples=[0.8]
    )
    max_reject_share: float = Field(
        0.5, ge=0, le=1, description="more rejects than this share fail the service", examples=[0.1]
    )


class SourceSettings(_Strict):
    """One source system and how it is reached."""

    transport: Transport = Field(
        "isb", description="how the source is read: inaproc, isb, rest, sql, sipd or files", examples=["inaproc"]
    )
    url: Address | None = Field(
        None,
        description="base address for isb and rest, and for inaproc and sipd where it isn't the usual one; of files: "
        "where the folder is published",
        examples=["https://simpen.example/api"],
    )
    database: SecretStr | None = Field(
        None,
        description="SQLAlchemy URL for sql, password included",
        examples=["mssql+pymssql://reader:...@simda.example/Simda_2026"],
    )
    folder: str | None = Field(
        None, description="folder for files; `{year}` is replaced; defaults to `dumps`", examples=["data/simpen/{year}"]
    )
    token: SecretStr | None = Field(None, description="bearer token for inaproc, rest and sipd", examples=["..."])
    api_key: SecretStr | None = Field(None, description="ISB key where one key serves all services", examples=["..."])
    service_no: str | None = Field(
        None,
        description="ISB's number of all services that have none of their own: only a stand-in for ISB has that",
        examples=["0"],
    )
    api_keys: dict[str, SecretStr] = Field(
        default_factory=dict, description="ISB key per service", examples=[{"RUP-PaketPenyedia-Terumumkan": "..."}]
    )
    dumped_on: date | None = Field(
        None, description="day of the dumps, where neither rows nor files have it", examples=[date(2025, 10, 3)]
    )
    page_size: int = Field(1000, ge=1, le=1000, description="rows asked for at once over HTTP", examples=[200])
    timeout_seconds: float = Field(60, gt=0, description="longest silence of an HTTP source", examples=[120])
    retries: int = Field(
        5, ge=0, description="further attempts after a failed one, with growing pauses between", examples=[2]
    )
    max_seconds: float = Field(
        3600, gt=0, description="time that all pages of one list may take over HTTP", examples=[7200]
    )
    max_megabytes: float = Field(
        1000, gt=0, description="size of one list over HTTP, all pages, unpacked", examples=[2000]
    )
    max_pages: int = Field(10_000, ge=1, description="pages of one list over HTTP", examples=[20_000])
    services: dict[str, ServiceSettings] = Field(
        default_factory=dict, description="what differs for one list, by its name"
    )
    stale_days: int = Field(
        31, ge=1, description="dumps of an open fiscal year that are older make the source late", examples=[90]
    )

    def service(self, name: str) -> ServiceSettings:
        """Settings of one service; the defaults where the file has none."""
        return self.services.get(name, ServiceSettings())

    def of(self, service: str) -> Self:
        """The source as one of its services is read: by a transport of its own, if it has one."""
        own = self.service(service).transport
        return self.model_copy(update={"transport": own}) if own else self


class Thresholds(_Strict):
    """From which confidence on a rule links by itself (`accept`), and from which it asks an operator (`pending`)."""

    accept: float = Field(ge=0, le=1, description="from this confidence on a link stands by itself", examples=[0.98])
    pending: float = Field(ge=0, le=1, description="from this confidence on it waits for a decision", examples=[0.2])

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.pending > self.accept:
            raise ValueError(
                "pending lies above accept: what asks an operator must be less sure than what links by itself"
            )
        return self


class Alerts(_Strict):
    """Who gets a message when a run fails or is late; nobody by default."""

    webhook: SecretStr | None = Field(
        None,
        description="gets a JSON object by POST; the address may hold a secret",
        examples=["https://chat.example/hook/..."],
    )
    email_to: list[str] = Field(
        default_factory=list,
        description="who gets a mail, through Airflow's connection `smtp_default`",
        examples=[["operator@regency.example"]],
    )


class Site(_Strict):
    """What the page for citizens shows."""

    complaints_url: Address | None = Field(
        None,
        description="where citizens ask or complain, such as the national channel",
        examples=["https://www.lapor.go.id"],
    )
    photos: Literal["link", "copy"] = Field(
        "link",
        description="`copy` shows small copies of photos without their metadata, `link` leads to the source",
        examples=["copy"],
    )
    red_flags: bool = Field(
        False, description="true shows the red flags of a package on its page; else they stay inside", examples=[True]
    )


class Settings(_Strict):
    """One regency. The environment overrides any value: `JEJAK_WAREHOUSE_URL`, `JEJAK_SOURCES__LPSE__TOKEN`, ..."""

    name: str = Field(min_length=1, description="the publisher's name", examples=["Pemerintah Kabupaten Bojonegoro"])
    ocid_prefix: str = Field(
        pattern=r"^ocds-[a-z0-9]{6}$",
        description="prefix of the OCIDs, registered at the Open Contracting Partnership; kept for ever",
        examples=["ocds-213czf"],
    )
    kd_klpd: str = Field(min_length=1, description="LKPP's code of the regency", examples=["D171"])
    kd_lpse: str = Field(min_length=1, description="LKPP's code of its LPSE", examples=["244"])
    wilayah: str | None = Field(
        None,
        pattern=r"^\d\d(\.\d\d)?$",
        description="Kemendagri's code of the regency or province whose villages texts name; after a change "
        "`jejak rebuild` reads the texts anew",
        examples=["35.22"],
    )
    utc_offset: str = Field(
        "+07:00",
        pattern=r"^[+-]\d\d:\d\d$",
        description="local time of the sources: WIB +07:00, WITA +08:00, WIT +09:00; fixed once a release exists",
        examples=["+08:00"],
    )
    fiscal_years: list[Annotated[int, Field(ge=FIRST_YEAR, le=2100)]] = Field(
        default_factory=list, description="years that a sync reads; by default by the calendar", examples=[[2025, 2026]]
    )
    closing_months: int = Field(
        3, ge=0, le=12, description="months of a new year in which a sync reads the year before too", examples=[1]
    )
    site_url: Address | None = Field(
        None,
        description="address under which the publication is served",
        examples=["https://kontrak.regency.example"],
    )
    license: Address | None = Field(
        None,
        description="address of the licence of what is published",
        examples=["https://creativecommons.org/licenses/by/4.0/"],
    )
    publication_policy: Address | None = Field(
        None,
        description="address of the page that describes what is published, how often, from which systems",
        examples=["https://kontrak.regency.example/data.html"],
    )
    publisher_uri: Address | None = Field(
        None, description="address of the publisher's own page", examples=["https://regency.example"]
    )
    publisher_scheme: str | None = Field(
        None, description="register of `publisher_uid`, best one of org-id.guide", examples=["ID-KEMENDAGRI"]
    )
    publisher_uid: str | None = Field(None, description="the publisher's number in that register", examples=["35.22"])
    publish_to: str | None = Field(
        None,
        description="folder into which Airflow publishes, the same for all its workers",
        examples=["/srv/publication"],
    )
    unnamed_parties: list[str] = Field(
        default_factory=list,
        description="ids of suppliers, persons who asked for it, whose names are no longer published",
        examples=[["JEJAK-PENYEDIA-1234567"]],
    )
    not_personal: list[str] = Field(
        default_factory=list,
        description="texts and numbers in which `jejak publish` sees a person, and that are none",
        examples=[["Jalan Kartini 12"]],
    )
    warehouse_url: str = Field(
        "sqlite:///data/jejak.db",
        description="SQLite file or PostgreSQL database; with a password it belongs into the environment",
        examples=["postgresql://jejak@db.example/jejak"],
    )
    dumps: str | None = Field(
        None, description="folder of dumps for sources with transport `files`", examples=["data/dumps"]
    )
    workers: int = Field(
        2, ge=1, description="processes that read sources, link years, build records and publish", examples=[4]
    )
    shards: int = Field(
        1, ge=1, le=64, description="tasks over which Airflow spreads the building of records", examples=[4]
    )
    keep_versions_days: int | None = Field(
        None,
        ge=1,
        description="how long replaced versions of rows are kept that no release needs; else for ever",
        examples=[400],
    )
    # At 07:00 a night at 01:00 that never came to be is noticed: the one before was then 30 hours ago.
    stale_hours: int = Field(
        29, ge=1, description="a source that has not been read for longer than this is late", examples=[53]
    )
    alerts: Alerts = Field(default_factory=Alerts, description="who gets a message when a run fails or is late")
    site: Site = Field(default_factory=Site, description="the page for citizens")
    sources: dict[str, SourceSettings] = Field(default_factory=dict, description="the systems that are read, by name")
    flags: FlagSettings = Field(
        default_factory=FlagSettings, description="thresholds of red flags: docs/redflags.md has them all"
    )
    links: dict[str, Thresholds] = Field(
        default_factory=dict, description="thresholds of a linking rule, where they differ from its own"
    )

    def years_on(self, day: date) -> list[int]:
        """The fiscal years that a sync of this (local) day reads: those of the settings, else the open one and, in the
        first months of a year, the one before."""
        if self.fiscal_years:
            return self.fiscal_years
        return [day.year - 1, day.year] if day.month <= self.closing_months else [day.year]
