"""How LKPP's services write facts: one `Service` per list, the shapes of dates and lists, the columns all have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simulator import names
from simulator.facts import Office
from simulator.state import State

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Service:
    """One list of rows: its name, the field that holds the code, and how one fact is told.

    `facts` names the world's list of facts (only those of `kind`, where given), or makes the facts of a master list for
    a fiscal year. Only the former tell of contracting processes, and of them not those of the regency's own systems:
    these have a `key` (of which `code` is the first field), and who they belong to is known as links.
    """

    name: str
    code: str
    facts: str | Callable[[State, int], Iterable[Any]]
    render: Callable[[State, Any], Iterator[Row]]
    kind: str | None = None
    yearly: bool = True
    key: tuple[str, ...] = ()

    def known_by(self, row: Row) -> str:
        """What tells the row's subject from others."""
        return "|".join(str(row[field]) for field in self.key or (self.code,))

    def tells_of(self, fact: Any) -> bool:
        """Whether this list tells of a fact of this sort."""
        return self.facts == fact.home and (self.kind is None or self.kind == fact.kind)

    def facts_of(self, world: State, year: int) -> Iterator[Any]:
        """The facts of a fiscal year that this list tells of."""
        if not isinstance(self.facts, str):
            yield from self.facts(world, year)
            return
        for fact in getattr(world, self.facts):
            if fact.year == year and (self.kind is None or fact.kind == self.kind):
                yield fact


def date(day: dt.date | dt.datetime) -> str:
    """`2025-07-03`."""
    return day.isoformat()[:10]


def stamp(at: dt.datetime) -> str:
    """`2025-07-03 08:15:00`."""
    return at.isoformat(sep=" ", timespec="seconds")


def stamp_z(at: dt.datetime) -> str:
    """`2025-07-03 08:15:00.000000Z`; local time, whatever the Z says."""
    return at.isoformat(sep=" ", timespec="microseconds") + "Z"


def iso_z(at: dt.datetime) -> str:
    """`2025-07-03T08:15:00.000000Z`; local time, whatever the Z says."""
    return at.isoformat(timespec="microseconds") + "Z"


def midnight(day: dt.date) -> str:
    """`2025-07-03 00:00:00`."""
    return f"{day.isoformat()} 00:00:00"


def clock(day: dt.date) -> str:
    """`Jul 3, 2025, 12:00:00AM`."""
    return f"{day:%b} {day.day}, {day.year}, 12:00:00AM"


def listed(world: State, parts: Sequence[str], separator: str = ";") -> str:
    """A list in today's order, which is the other way round tomorrow and means nothing."""
    return separator.join(reversed(parts) if world.day % 2 else parts)


def regency(world: State, year: int) -> Row:
    """The columns by which nearly every row begins."""
    return {"tahun_anggaran": year, "kd_klpd": world.kd_klpd, "nama_klpd": names.REGENCY, "jenis_klpd": "KABUPATEN"}


def sirup_office(world: State, year: int, office: Office) -> Row:
    """The regency and the office as SIRUP knows it: `kd_satker` is an int of its own."""
    return {
        **regency(world, year),
        "kd_satker": office.sirup_id,
        "kd_satker_str": office.code,
        "nama_satker": office.name,
    }


def spse_office(world: State, year: int, office: Office) -> Row:
    """The regency and the office as SPSE knows it: `kd_satker` is another code, and text."""
    return {
        **regency(world, year),
        "kd_satker": office.spse_id,
        "kd_satker_str": office.code,
        "nama_satker": office.name,
    }


def extracted(world: State) -> Row:
    """The stamp of the extraction: today in every row."""
    return {"_event_date": date(world.today)}
