"""What a service of a source system is: the unit that is fetched, counted and promoted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import RowError


class SourceRecord(BaseModel):
    """A row of a source, in the source's own field names. Unknown fields are kept (and signalled), never refused."""

    # A refused value may be personal: errors name field and shape only.
    model_config = ConfigDict(extra="allow", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)

    # Fields that never leave staging and `raw_record` (tax numbers: see the design, "OCDS").
    personal: ClassVar[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Service:
    """One list of rows that a source publishes, named as LKPP's ISB names it.

    A row is known by `key`: the first `code_parts` fields are the source's own code, of which the first must be there;
    the others may be empty. `kind` is the code's space (codes of two kinds overlap): `rup`, `swk`, `tender`,
    `nontender`, `pencatatan`, `swakelola`, `ecat`, ...; None for a master list that names no process. Codes of `linked`
    services open no process: links join them to the processes of others.
    """

    name: str
    model: type[SourceRecord]
    key: tuple[str, ...]
    kind: str | None = None
    code_parts: int = 1
    linked: bool = False
    # Stamps of the extraction: stored with the row, not part of its content.
    volatile: frozenset[str] = frozenset()
    # `;` or `,` lists whose order and repeats mean nothing.
    sets: frozenset[str] = frozenset()
    # Other spellings of a field (INAPROC, older exports) -> the field name used here.
    aliases: Mapping[str, str] = field(default_factory=dict)
    # The field that says when the row was extracted, where there is one.
    observed_field: str | None = None
    # The field that says, where it names "swakelola", that a row's code is of self-managed work (`swk`), not of `kind`.
    swakelola_field: str | None = None
    # False: the list is the same for every fiscal year (fetched once a night under the scope "all").
    yearly: bool = True
    # Rows have no key of their own: `key` is the code alone, and equal rows of one answer are all kept.
    keyless: bool = False
    # Parts of the key that rows may lack altogether.
    optional_key: frozenset[str] = frozenset()

    def lost_key(self, columns: Collection[str]) -> list[str]:
        """The key fields that are not among the columns of rows as received, and that rows may not lack."""
        names = {self.aliases.get(name, name) for name in columns} | set(columns)
        return [name for name in self.key if name not in names and name not in self.optional_key]

    def kind_of(self, fields: Mapping[str, object]) -> str | None:
        """The space of a row's code."""
        named = str(fields.get(self.swakelola_field) or "") if self.swakelola_field else ""
        return "swk" if "swakelola" in named.lower() else self.kind


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a fetch: rows as received and where to go on.

    `cursor` is the transport's own resume token for the page after this one; None on the last page.
    `observed_at` is the UTC time of observation where the transport knows better than the clock (a dump file's date);
    `name` says where the rows came from (file name, endpoint), without secrets.
    """

    rows: list[dict[str, object]]
    cursor: str | None = None
    observed_at: str | None = None
    name: str = ""


def read_row(service: Service, fields: Mapping[str, object]) -> tuple[SourceRecord, dict[str, str]]:
    """The validated row, and the fields that were left out of it because they are wrong, with the reason.

    Raises RowError, which names fields and never values, where a field is wrong that the row is about.
    """
    try:
        return service.model.model_validate(fields), {}
    except ValidationError as failure:
        faults = failure.errors(include_url=False, include_input=False, include_context=False)
        raise RowError(
            "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'row'}: {fault['msg'].removeprefix('Value error, ')}"
                for fault in faults
            )
        ) from None
