"""Every list that the regency's systems answer, by name."""

from __future__ import annotations

from simulator import dokumen, lpse, musrenbang, simda, simpen, sirup
from simulator.rendering import Row, Service
from simulator.state import State

LKPP = {service.name: service for service in (*sirup.SERVICES, *lpse.SERVICES)}
"""The services of LKPP's systems, by ISB's name."""
LOCAL = {
    service.name: service for service in (*simda.SERVICES, *musrenbang.SERVICES, *simpen.SERVICES, *dokumen.SERVICES)
}
"""The services of the regency's own systems, whose codes open no process."""
SERVICES = LKPP | LOCAL
"""Every service that a world can answer."""


def services_of(fact: object) -> list[Service]:
    """The services that have rows about a fact."""
    return [service for service in SERVICES.values() if service.tells_of(fact)]


def answer(world: State, service: str, year: int) -> list[Row]:
    """Today's rows of a service for a fiscal year; none for a year that this world doesn't have.

    Raises KeyError for a service that there isn't.
    """
    spec = SERVICES[service]
    if spec.yearly and year not in world.years:
        return []
    return [row for fact in spec.facts_of(world, year) for row in spec.render(world, fact)]


def count_rows(world: State) -> list[int]:
    """Rows of LKPP's systems and of the regency's own, of all fiscal years; kept up to date once counted."""
    if world.row_counts is None:
        world.row_counts = [
            sum(
                len(answer(world, name, year))
                for name, spec in services.items()
                for year in (world.years if spec.yearly else world.years[-1:])
            )
            for services in (LKPP, LOCAL)
        ]
    return world.row_counts
