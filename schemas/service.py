"""What a service of a source system is: the unit that is fetched, counted and promoted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import RowError

PARTLY_READ = "partly_read"
"""The pydantic error type of a value that can be read in part: its context holds the part as `kept`."""

UNREADABLE = "__unreadable__"
"""The only key of a row that could not be read: its value is {"line": number, "reason": ..., "text": ...}."""


_T = TypeVar("_T")
_PERSONAL = "personal"
Personal = Annotated[_T, _PERSONAL]
"""A field whose values never leave staging and `raw_record` as they are (`npwp: Personal[Text] = None`); all others are
public. What a mapping makes of a personal field is no value of it (a digest, a firm's tax number)."""


class Office(NamedTuple):
    """The office (satker) that a row names. `codes` are what may be its code; `institution` is its kd_klpd, None where
    it is that of the settings; `number` is SIRUP's own in a fiscal year, of rows that give no code."""

    codes: tuple[str | None, ...] = ()
    name: str | None = None
    institution: str | None = None
    address: str | None = None
    number: str | None = None
    year: int | None = None

    @property
    def code(self) -> str | None:
        """LKPP's code (kd_satker_str), which has dots; a number without them is some system's own."""
        return next((code for code in self.codes if code and "." in code), None)


class SourceRecord(BaseModel):
    """A row of a source, in the source's own field names. Unknown fields are kept (and signalled), never refused."""

    # A refused value may be personal: errors name field and shape only. Most runs need few of the models: each is built
    # when it reads its first row.
    model_config = ConfigDict(
        extra="allow", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True, defer_build=True
    )

    @property
    def office(self) -> Office:
        """The office that the row names."""
        return Office()


@dataclass(frozen=True, slots=True)
class Service:
    """One list of rows that a source publishes, named as LKPP's ISB names it.

    A row is known by `key`: the first `code_parts` fields are the source's own code, of which the first must be there;
    the others may be empty. Where a source has no key for its rows (`keyless`), equal rows of one answer are rows of
    their own. `kind` is the code's space (codes of two kinds overlap): `rup`, `swk`, `tender`,
    `nontender`, `pencatatan`, `swakelola`, `ecat`, ...; None for a master list that names no process. Codes of `linked`
    services open no process: links join them to the processes of others.
    """

    name: str
    model: type[SourceRecord]
    key: tuple[str, ...]
    kind: str | None = None
    code_parts: int = 1
    linked: bool = False
    # True: rows of one key are entries of a list, which nothing distinguishes but their content and number. The key is
    # the code, and the row's own number where a transport has one.
    keyless: bool = False
    # Last parts of the key, which not every transport has: they stand in the key where they are filled, are no lost
    # column if no row has them, and a side field if unreadable.
    optional_key: frozenset[str] = frozenset()
    # What a row is about beside its key (an amount): unreadable, it costs the row; any other field is left out.
    essential: frozenset[str] = frozenset()
    # Fields that are known and not read -> the reason why not.
    ignored: Mapping[str, str] = field(default_factory=dict)
    # Stamps of the extraction: stored with the row, not part of its content.
    volatile: frozenset[str] = frozenset()
    # `;` or `,` lists whose order and repeats mean nothing.
    sets: frozenset[str] = frozenset()
    # Other spellings of a field (INAPROC, older exports) -> the field name used here.
    aliases: Mapping[str, str] = field(default_factory=dict)
    # The field that holds when the row was extracted, where there is one.
    observed_field: str | None = None
    # The field that, where it names "swakelola", makes a row's code one of self-managed work (`swk`), not of `kind`.
    swakelola_field: str | None = None
    # False: the list is the same for every fiscal year (fetched once a night under the scope "all").
    yearly: bool = True

    # The volatile fields under all their spellings.
    stamps: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        stamps = self.volatile | {alias for alias, name in self.aliases.items() if name in self.volatile}
        object.__setattr__(self, "stamps", stamps)

    @property
    def fields(self) -> list[str]:
        """The names of a row's fields as they are read: `_event_date`, which no attribute can be called, by itself."""
        return [str(field.validation_alias or name) for name, field in self.model.model_fields.items()]

    @property
    def required(self) -> frozenset[str]:
        """The fields that cost a row where they can't be read: its key and what else it is about."""
        return (self.essential | frozenset(self.key)) - self.optional_key

    def lost_key(self, columns: Collection[str]) -> list[str]:
        """The key fields that are not among the columns of rows as received, and that rows may not lack."""
        names = {self.aliases.get(name, name) for name in columns} | set(columns)
        return [name for name in self.key if name not in names and name not in self.optional_key]

    def kind_of(self, fields: Mapping[str, object]) -> str | None:
        """The space of a row's code."""
        named = str(fields.get(self.swakelola_field) or "") if self.swakelola_field else ""
        return "swk" if "swakelola" in named.lower() else self.kind


def read_row(service: Service, fields: Mapping[str, object]) -> tuple[SourceRecord, dict[str, str]]:
    """A row's record, and which of its fields could not be read, with the reason: field -> shape, never the value.

    `fields` are the row's, under the service's field names. A side field that is wrong is absent from the record; of a
    list, the entries that are wrong. Raises RowError where the row's key or what it is about (`Service.required`) can't
    be read, or its fields contradict each other.
    """
    try:
        return service.model.model_validate(fields), {}
    except ValidationError as failure:
        refused = failure
    readable = dict(fields)
    left_out: dict[str, str] = {}
    fatal: list[str] = []
    for fault in refused.errors(include_url=False, include_input=False):
        name = str(fault["loc"][0]) if fault["loc"] else ""
        reason = fault["msg"].removeprefix("Value error, ")
        if name not in fields or name in service.required:
            fatal.append(f"{name}: {reason}" if name else reason)
        elif fault["type"] == PARTLY_READ:
            readable[name] = fault["ctx"]["kept"]
        else:
            readable.pop(name, None)
        left_out[name] = reason
    if fatal:
        raise RowError("; ".join(fatal))
    try:
        return service.model.model_validate(readable), left_out
    except ValidationError as failure:
        # What a model requires of its fields together, once each of them can be read.
        reasons = [fault["msg"].removeprefix("Value error, ") for fault in failure.errors(include_input=False)]
        raise RowError("; ".join(reasons)) from None


def personal_fields(service: Service) -> frozenset[str]:
    """The fields of a service's rows whose values are published nowhere, under all their spellings."""
    personal = frozenset(name for name, field in service.model.model_fields.items() if _PERSONAL in field.metadata)
    return personal | {alias for alias, name in service.aliases.items() if name in personal}


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a fetch: rows as received and where to go on. A row that could not be read stands as `UNREADABLE`.

    `cursor` is the transport's own resume token for the page after this one; None on the last page.
    `observed_at` is the UTC time of observation where the transport knows better than the clock (a dump file's date);
    `name` is where the rows came from (file name, endpoint), without secrets.
    """

    rows: list[dict[str, object]]
    cursor: str | None = None
    observed_at: str | None = None
    name: str = ""
