"""What is true of a world: which process each row belongs to, how processes are related, what no code table knows.

Computed from the facts, which know what was bought for which plan and which attempt was the first; not by reading rows
as a pipeline must. Processes are named without the prefix of the OCID: `rup-<kd_rup>`, `swk-<kd_rup>`,
`tender-<kd_tender>`, `nontender-<kd_nontender>`, `pencatatan-<id>`, `swakelola-<id>`, `ecat-<kd_paket>`,
`tokodaring-<order_id>`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.facts import FAILED, Attempt, Order, Plan, Recorded
from simulator.world import SERVICES, UNKNOWN, World


def truth(world: World) -> dict[str, Any]:
    """The expected outcome if all services are read at once, each day from the first, as plain JSON.

    - `rows`: service -> code (as text) -> process, for every row that names a process; the other members of its family
      carry the planning section of a RUP row too, but it belongs to this one
    - `gone`: the same for rows that vanished since the first day
    - `relations`: [process, relationship, related process], sorted
    - `families`: lists of processes that share a RUP, those of more than one member
    - `unknown`: [service, field, value] of code values that no table knows
    - `counts`: service -> number of rows
    """
    rows: dict[str, dict[str, str]] = {}
    counts: dict[str, int] = {}
    unknown: set[tuple[str, str, str]] = set()
    for service in SERVICES.values():
        counts[service.name] = 0
        for year in world.years if service.yearly else world.years[-1:]:
            for fact in service.facts_of(world, year):
                for row in service.render(world, fact):
                    counts[service.name] += 1
                    if isinstance(service.facts, str):
                        rows.setdefault(service.name, {})[str(row[service.code])] = fact.process
                        unknown |= {
                            (service.name, field, value)
                            for field, value in row.items()
                            if isinstance(value, str) and value.endswith(UNKNOWN)
                        }
    return {
        "kd_klpd": world.kd_klpd,
        "kd_lpse": world.kd_lpse,
        "years": world.years,
        "date": world.today.isoformat(),
        "counts": counts,
        "rows": rows,
        "gone": {
            name: {code: process for code, process in codes.items() if code not in rows.get(name, {})}
            for name, codes in world.gone.items()
        },
        "relations": [list(relation) for relation in sorted(_relations(world))],
        "families": _families(world),
        "unknown": [list(each) for each in sorted(unknown)],
    }


def _known_plans(world: World) -> list[Plan]:
    return [*world.plans, *(fact for fact in world.vanished if isinstance(fact, Plan))]


def _known_attempts(world: World) -> list[Attempt]:
    return [*world.attempts, *(fact for fact in world.vanished if isinstance(fact, Attempt))]


def _purchases(world: World) -> Iterator[Attempt | Recorded | Order]:
    yield from _known_attempts(world)
    yield from world.recorded
    yield from world.orders
    yield from world.old_orders


def _relations(world: World) -> set[tuple[str, str, str]]:
    relations: set[tuple[str, str, str]] = set()
    for plan in _known_plans(world):
        # Only the row of the announced package says what it is part of.
        if plan.inside and plan.listed and plan.published:
            relations.add((plan.process, "parent", plan.inside.process))
    for attempt in _known_attempts(world):
        if attempt.previous and attempt.previous.status == FAILED:
            relations.add((attempt.process, "unsuccessfulProcess", attempt.previous.process))
    for purchase in _purchases(world):
        relations |= {(purchase.process, "planning", plan.process) for plan in purchase.plans}
    return {(process, kind, other) for process, kind, other in relations if process != other}


def _families(world: World) -> list[list[str]]:
    """Processes joined, directly or through others, by a RUP that they share."""
    leader: dict[str, str] = {}

    def find(process: str) -> str:
        while leader.setdefault(process, process) != process:
            process = leader[process]
        return process

    for purchase in _purchases(world):
        for plan in purchase.plans:
            leader[find(purchase.process)] = find(plan.process)
    members: dict[str, list[str]] = {}
    for process in leader:
        members.setdefault(find(process), []).append(process)
    return sorted(sorted(group) for group in members.values() if len(group) > 1)
