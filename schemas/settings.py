"""Settings: everything that is about one regency, one source address or one machine. Read by `pipeline.configure`."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

FIRST_YEAR = 2011
"""The first fiscal year that SIRUP, the oldest of the sources, holds."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SplitColumn(_Strict):
    """One part of a text column: `{column = "sistem_pengadaan", split = " - ", part = 0}`."""

    column: str
    split: str
    part: int


class ServiceSettings(_Strict):
    """What differs from the default for one service of one source."""

    enabled: bool = True
    service_no: str | None = Field(None, description="ISB's number of the service, given per subscriber, e.g. '1234'")
    file: str | None = Field(None, description="file name or glob in the source's folder, not the service's name")
    sheet: str | None = Field(None, description="the one sheet of a workbook to read, e.g. 'Kec. Kota'")
    header_row: int | list[int] | None = Field(
        None, description="row of a table's header where it isn't found, from 1: 4, or [4, 5] for a header in two rows"
    )
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="what separates the columns of a CSV file, e.g. '|'"
    )
    encoding: str | None = Field(None, description="how a file's text is written, e.g. 'utf-16' or 'cp1252'")
    check_total: bool = Field(True, description="false where `total` in the source's answers isn't the number of rows")
    endpoint: str | None = Field(None, description="path of the service below the source's url, where it differs")
    columns: dict[str, str | SplitColumn] = Field(
        default_factory=dict, description="our field -> the file's column; others keep their own name"
    )
    constants: dict[str, str | int] = Field(default_factory=dict, description="fields that the file does not carry")
    ignore: list[str] = Field(default_factory=list, description="columns of the file that are left out on purpose")
    usual_rows: int | None = Field(None, description="rows expected; by default as many as the warehouse holds")
    min_share: float = Field(0.5, ge=0, le=1, description="fewer rows than this share of the usual fail the service")
    max_reject_share: float = Field(0.5, ge=0, le=1, description="more rejects than this share fail the service")


class SourceSettings(_Strict):
    """One source system and how it is reached."""

    transport: Literal["isb", "inaproc", "rest", "sipd", "files", "sql"] = "isb"
    url: str | None = Field(
        None,
        description="base address for isb and rest, and for inaproc and sipd where it isn't the usual one; of files: "
        "where the folder is published",
    )
    database: SecretStr | None = Field(None, description="SQLAlchemy URL for sql, password included")
    folder: str | None = Field(None, description="folder for files; `{year}` is replaced; defaults to `dumps`")
    token: SecretStr | None = Field(None, description="bearer token for inaproc, rest and sipd")
    api_key: SecretStr | None = Field(None, description="ISB key where one key serves all services")
    service_no: str | None = Field(
        None, description="ISB's number of all services that have none of their own: only a stand-in for ISB has that"
    )
    api_keys: dict[str, SecretStr] = Field(default_factory=dict, description="ISB key per service name")
    dumped_on: date | None = Field(None, description="day of the dumps, where rows don't say it")
    page_size: int = Field(1000, ge=1, le=1000)
    timeout_seconds: float = 60
    retries: int = Field(5, ge=0, description="further attempts after a failed one, with backoff and jitter")
    max_seconds: float = Field(3600, gt=0, description="time that all pages of one list may take over HTTP")
    max_megabytes: float = Field(1000, gt=0, description="size of one list over HTTP, all pages, unpacked")
    max_pages: int = Field(10_000, ge=1, description="pages of one list over HTTP")
    services: dict[str, ServiceSettings] = Field(default_factory=dict)

    def service(self, name: str) -> ServiceSettings:
        """Settings of one service; the defaults where the file has none."""
        return self.services.get(name, ServiceSettings())


class Thresholds(_Strict):
    """From which confidence on a rule links by itself (`accept`), and from which it asks an operator (`pending`)."""

    accept: float = Field(ge=0, le=1)
    pending: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.pending > self.accept:
            raise ValueError(
                "pending lies above accept: what asks an operator must be less sure than what links by itself"
            )
        return self


class Alerts(_Strict):
    """Who gets a message when a run fails or is late; nobody by default."""

    webhook: SecretStr | None = Field(None, description="gets a JSON object by POST; the address may hold a secret")
    email_to: list[str] = Field(default_factory=list, description="the mail server is Airflow's smtp_default")


class Settings(_Strict):
    """One regency. The environment overrides any value: `JEJAK_WAREHOUSE_URL`, `JEJAK_SOURCES__LPSE__TOKEN`, ..."""

    name: str = Field(description="the publisher's name")
    ocid_prefix: str = Field(pattern=r"^ocds-[a-z0-9]{6}$")
    kd_klpd: str = Field(description="LKPP's code of the regency")
    kd_lpse: str = Field(description="LKPP's code of its LPSE")
    wilayah: str | None = Field(
        None,
        pattern=r"^\d\d(\.\d\d)?$",
        description="Kemendagri's code of the regency or province whose villages texts name, e.g. '35.22'; after a "
        "change `jejak rebuild` reads the texts anew",
    )
    utc_offset: str = Field("+07:00", pattern=r"^[+-]\d\d:\d\d$", description="local time of the sources")
    fiscal_years: list[Annotated[int, Field(ge=FIRST_YEAR, le=2100)]] = Field(
        default_factory=list, description="years that a sync reads; by default by the calendar"
    )
    closing_months: int = Field(
        3, ge=0, le=12, description="months of a new year in which a sync reads the year before too"
    )
    publisher_uri: str | None = None
    license: str | None = None
    warehouse_url: str = "sqlite:///data/jejak.db"
    dumps: str | None = Field(None, description="folder of dumps for sources with transport `files`")
    workers: int = Field(2, ge=1, description="processes that derive and merge")
    shards: int = Field(1, ge=1, le=64, description="tasks over which Airflow spreads the building of records")
    keep_versions_days: int | None = Field(
        None, ge=1, description="days for which replaced versions of rows are kept that no release needs; else for ever"
    )
    # At 07:00 a night at 01:00 that never came to be is noticed: the one before was then 30 hours ago.
    stale_hours: int = Field(29, ge=1, description="a source that has not been read for longer than this is late")
    alerts: Alerts = Field(default_factory=Alerts)
    sources: dict[str, SourceSettings] = Field(default_factory=dict)
    links: dict[str, Thresholds] = Field(
        default_factory=dict, description="thresholds of a linking rule, where they differ from its own"
    )

    def years_on(self, day: date) -> list[int]:
        """The fiscal years that a sync of this (local) day reads: those of the settings, else the open one and, in the
        first months of a year, the one before."""
        if self.fiscal_years:
            return self.fiscal_years
        return [day.year - 1, day.year] if day.month <= self.closing_months else [day.year]
