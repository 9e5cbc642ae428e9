"""Each configured source, tried without loading anything: what `jejak check` finds."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from connectors import Checked, check
from pipeline.registry import SOURCES
from pipeline.steps import plan_of, with_years, years_of
from schemas.settings import Settings


def checked(
    settings: Settings, sources: list[str] | None = None, services: list[str] | None = None
) -> Iterator[dict[str, Any]]:
    """What one page of each service shows, source by source: the fields of `connectors.Checked`, with `source`, `ok`,
    and `notes` on what is no fault.

    A list by fiscal year is tried for the newest year that is read, and for those before as long as it has no rows.
    Where nobody answers, the other services of the source are not tried. That a source lacks a list, or has no rows in
    it, is a fault where it is asked for by name, where no list of the source has more, and for the source's first list.

    Raises SettingsError for a source or service that isn't there or is switched off.
    """
    planned: dict[str, list[str]] = {}
    for source, service, _ in plan_of(settings, sources, None, services):
        names = planned.setdefault(source, [])
        if service not in names:
            names.append(service)
    for source, names in planned.items():
        found: list[Checked] = []
        for service in names:
            found.append(_tried(settings, source, service))
            if found[-1].unreachable:
                break
        fruitful = any(each.rows for each in found)
        first = next(iter(SOURCES[source].services))
        for each in found:
            yield _finding(settings, source, each, needed=bool(services) or not fruitful or each.service == first)
        for service in names[len(found) :]:
            yield _row(source, Checked(service, ""), ["not tried, since nobody answered before"], ok=False)


def _tried(settings: Settings, source: str, service: str) -> Checked:
    options = settings.sources[source]
    # A second attempt tells a hiccup from a fault; a night's patience would keep a person waiting.
    patient = options.model_copy(update={"retries": min(options.retries, 1)})
    trying = with_years(settings.model_copy(update={"sources": {**settings.sources, source: patient}}))
    kind = SOURCES[source].services[service]
    scopes = [str(year) for year in sorted(years_of(settings), reverse=True)] if kind.yearly else ["all"]
    newest: Checked | None = None
    for scope in scopes:
        found = check(SOURCES[source].fetch, source, kind, trying, scope)
        newest = newest or found
        if not (found.empty or found.absent):
            return found
    assert newest is not None
    return newest


def _finding(settings: Settings, source: str, found: Checked, *, needed: bool) -> dict[str, Any]:
    named = settings.sources[source].service(found.service).file is not None
    if (found.empty or found.absent) and not needed and not (found.absent and named):
        what = "has no rows" if found.empty else "is not offered"
        return _row(source, replace(found, problems=()), [what], ok=True)
    return _row(source, found, [], ok=not found.problems)


def _row(source: str, found: Checked, notes: list[str], *, ok: bool) -> dict[str, Any]:
    return {"source": source, **asdict(found), "notes": notes, "ok": ok}
