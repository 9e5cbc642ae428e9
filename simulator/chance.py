"""What a regency draws by chance: numbers that go up, codes, days, amounts. All follow from the world's seed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TypeVar

from simulator import names
from simulator.facts import Office
from simulator.state import State

T = TypeVar("T")

_ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def quota(share: float, population: int, least: int = 1) -> int:
    """How many of `population` get a feature of this share: at least `least`, so that small worlds have it too."""
    return min(population, max(least, round(share * population)))


def next_number(world: State, kind: str) -> int:
    world.counters[kind] = world.counters.get(kind, 0) + 1
    return world.counters[kind]


def spse_id(world: State, kind: str) -> int:
    """SPSE's national ids: 11 digits that end in 000. Each kind counts by itself, so that kinds overlap."""
    return (90_000_000 + next_number(world, kind)) * 1000


def ulid(world: State) -> str:
    return "00" + "".join(world.rng.choices(_ULID, k=24))


def weighted(world: State, pairs: Sequence[tuple[T, float]]) -> T:
    return world.rng.choices([value for value, _ in pairs], [weight for _, weight in pairs])[0]


def invented_village(world: State) -> str:
    return world.rng.choice(names.VILLAGE_FIRST) + world.rng.choice(names.VILLAGE_LAST)


def moment(world: State, day: dt.date) -> dt.datetime:
    """An hour of office work on that day."""
    seconds = world.rng.randrange(9 * 3600)
    return dt.datetime.combine(day, dt.time(8)) + dt.timedelta(seconds=seconds)


def day_of(world: State, year: int) -> dt.date:
    """A day of the fiscal year, at least two weeks ago where that is possible."""
    first = dt.date(year, 1, 5)
    last = min(world.today - dt.timedelta(days=14), dt.date(year, 12, 10))
    return first + dt.timedelta(days=int(max(1, (last - first).days) * world.rng.random() ** 1.2))


def roughly(world: State, amount: float, share_of_decimals: float) -> int | float:
    """An amount as sources write it: whole thousands as int, else a float with decimals."""
    # Evenly spread, so that a few amounts have both forms too.
    if next_number(world, "amount") * 0.618034 % 1 < share_of_decimals:
        return int(amount) + world.rng.choice((0.5, 0.25, 0.99))
    return int(amount) // 1000 * 1000


def document_number(world: State, office: Office, what: str, year: int) -> str:
    """Document numbers are typed by hand: blanks, double spaces, and now and then one used before."""
    number = next_number(world, f"{office.code}{what}")
    if number > 1 and world.rng.random() < 0.013:
        number -= 1
    blank = "  " if number % 12 == 2 else " " if number % 8 == 3 else ""
    return f"900.3/{blank}{number:03d}{blank}/{what}/{office.abbreviation}/{year}"
