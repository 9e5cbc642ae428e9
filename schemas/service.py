"""What a service of a source system is: the unit that is fetched, counted and promoted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

UNREADABLE = "__unreadable__"
"""The only key of a row that could not be read: its value is {"line": number, "reason": ..., "text": ...}."""


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

    def kind_of(self, fields: Mapping[str, object]) -> str | None:
        """The space of a row's code."""
        named = str(fields.get(self.swakelola_field) or "") if self.swakelola_field else ""
        return "swk" if "swakelola" in named.lower() else self.kind


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a fetch: rows as received and where to go on. A row that could not be read stands as `UNREADABLE`.

    `cursor` is the transport's own resume token for the page after this one; None on the last page.
    `observed_at` is the UTC time of observation where the transport knows better than the clock (a dump file's date);
    `name` says where the rows came from (file name, endpoint), without secrets.
    """

    rows: list[dict[str, object]]
    cursor: str | None = None
    observed_at: str | None = None
    name: str = ""
