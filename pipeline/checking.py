"""Each configured source, tried without loading anything: what `jejak check` finds."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from connectors import Checked, Guess, check, draft
from pipeline.registry import SOURCES
from pipeline.steps import plan_of, with_years, years_of
from schemas.errors import JejakError
from schemas.service import Service
from schemas.settings import Settings


def checked(
    settings: Settings, sources: list[str] | None = None, services: list[str] | None = None
) -> Iterator[dict[str, Any]]:
    """What one page of each service shows, source by source: the fields of `connectors.Checked`, with `source`, `ok`,
    and `notes` on what is no fault.

    A list by fiscal year is tried for the newest year that is read, and for those before as long as it has no rows.
    Where nobody answers, the other services that are read in the same way are not tried. That a source lacks a list,
    or has no rows in it, is a fault where it is asked for by name, and for the source's first list.

    Raises SettingsError for a source or service that isn't there or is switched off.
    """
    planned: dict[str, list[str]] = {}
    for source, service, _ in plan_of(settings, sources, None, services):
        names = planned.setdefault(source, [])
        if service not in names:
            names.append(service)
    for source, names in planned.items():
        unreachable: set[str] = set()
        first = next((name for name in SOURCES[source].services if name in names), None)
        for service in names:
            transport = settings.sources[source].of(service).transport
            if transport in unreachable:
                yield _row(source, Checked(service, ""), ["not tried, since nobody answered before"], ok=False)
                continue
            each = _tried(settings, source, service)
            if each.unreachable:
                unreachable.add(transport)
            yield _finding(settings, source, each, needed=bool(services) or service == first)


def drafts(
    settings: Settings, sources: list[str] | None = None, services: list[str] | None = None
) -> Iterator[tuple[str, str, str]]:
    """For each service that can be read, but for the columns that the settings give it: source, service, and a
    proposal for its columns as TOML, ready to take the place of what the settings say of the service. What is in doubt
    is marked with `# ?`.

    A service that can't be read gets its reason as a comment; one that isn't there, and that nobody has named, nothing.
    Raises SettingsError as `checked`.
    """
    for source, service in dict.fromkeys((each[0], each[1]) for each in plan_of(settings, sources, None, services)):
        options = settings.sources[source]
        bare = options.service(service).model_copy(update={"columns": {}, "constants": {}, "ignore": []})
        open_ = options.model_copy(update={"services": {**options.services, service: bare}})
        trying = with_years(settings.model_copy(update={"sources": {**settings.sources, source: open_}}))
        kind = SOURCES[source].services[service]
        scope = str(max(trying.fiscal_years)) if kind.yearly else "all"
        try:
            page = next(SOURCES[source].fetch(kind, trying, open_.of(service), scope), None)
        except JejakError as error:
            yield source, service, f"# {service}: {error}"
            continue
        if page is None and bare.file is None and not services:
            continue
        if page is None or not page.rows:
            yield source, service, f"# {service}: {'no such list' if page is None else 'no rows'} for {scope}"
            continue
        yield source, service, _as_toml(settings, source, kind, draft(kind, page.rows))


def _as_toml(settings: Settings, source: str, service: Service, guesses: list[Guess]) -> str:
    if not guesses:
        return f"# {service.name}: every column goes by our own name, there is nothing to map"
    known = settings.sources[source].service(service.name)
    table = f'sources.{source}.services."{service.name}"'
    lines = [f"[{table}]"]
    for name in ("file", "sheet", "header_row", "delimiter", "encoding", "endpoint"):
        if (value := getattr(known, name)) is not None:
            lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    left = [guess.column for guess in guesses if not guess.field]
    if left:
        lines.append("ignore = [")
        lines += [f"  {json.dumps(column, ensure_ascii=False)},  # ? like no field of ours" for column in left]
        lines.append("]")
    lines += ["", f"[{table}.columns]"]
    for guess in guesses:
        if guess.field:
            other = f", or {guess.other}" if guess.other else ""
            mark = "" if guess.sure else f"  # ? {guess.likeness} % alike{other}"
            lines.append(f"{guess.field} = {json.dumps(guess.column, ensure_ascii=False)}{mark}")
    there = {guess.field for guess in guesses}
    lost = [field for field in service.fields if field not in there]
    lines.append(f"# Fields without a column here: {', '.join(lost)}")
    if service.key[0] in lost:
        lines.append(f"# {service.key[0]} is what a row is known by: without it no row can be read")
    return "\n".join(lines)


def _tried(settings: Settings, source: str, service: str) -> Checked:
    options = settings.sources[source]
    # A second attempt distinguishes a hiccup from a fault; a night's patience would keep a person waiting.
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
        what = "has no rows" if found.empty else "the source has no such list: it is left out"
        return _row(source, replace(found, problems=()), [what], ok=True)
    return _row(source, found, [], ok=not found.problems)


def _row(source: str, found: Checked, notes: list[str], *, ok: bool) -> dict[str, Any]:
    return {"source": source, **asdict(found), "notes": notes, "ok": ok}
