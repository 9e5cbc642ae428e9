"""Tries a service as it is configured: one page, what it holds, and what to change in the settings."""

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors.transport.parse import is_readable
from schemas.errors import JejakError, SourceUnavailable
from schemas.service import Page, Service
from schemas.settings import Settings, SourceSettings

_SHOWN = 5
Fetch = Callable[[Service, Settings, SourceSettings, str], Iterator[Page]]


@dataclass(frozen=True, slots=True)
class Checked:
    """What one page of a service showed. `problems` are sentences that say what to change; none: all is well.

    `read_from` is the file or endpoint, empty where nothing was read; `rows` are those of the page, of which
    `unreadable` could not be read. `mapped` are fields of ours that settings give a column, `own` those that go by
    their own name; `ignored` are columns left out, by the settings or since a reason stands in the service; `lost` are
    fields of the key that no row has, `missing` other fields of ours that no row has, `unknown` columns that are no
    field of ours. `absent`: the source has no such list; `empty`: it has no rows; `unreachable`: nobody answered.
    """

    service: str
    scope: str
    read_from: str = ""
    rows: int = 0
    unreadable: int = 0
    mapped: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    absent: bool = False
    empty: bool = False
    unreachable: bool = False


def check(fetch: Fetch, name: str, service: Service, settings: Settings, scope: str) -> Checked:
    """Try one page of a service of the source `name` by the source's `fetch`; nothing is stored.

    `problems` hold what goes wrong, in the words of the error that a sync would meet. Values of rows are never
    shown, only their columns.
    """
    source = settings.sources[name].of(service.name)
    try:
        page = next(fetch(service, settings, source, scope), None)
    except JejakError as error:
        return Checked(service.name, scope, problems=(str(error),), unreachable=isinstance(error, SourceUnavailable))
    if page is None:
        return Checked(service.name, scope, problems=(_absent(name, service, settings, scope),), absent=True)
    good = [row for row in page.rows if is_readable(row)]
    columns = list(dict.fromkeys(column for row in good for column in row))
    fields = {service.aliases.get(column, column) for column in columns}
    known = set(service.fields)
    own = source.service(service.name)
    unused = [column for column in columns if service.aliases.get(column, column) not in known]
    unknown = [column for column in unused if column not in service.ignored]
    given = {*own.columns, *own.constants}
    table = f'sources.{name}.services."{service.name}"'
    problems: list[str] = []
    if not page.rows:
        problems.append(
            f"{service.name} has no rows for {scope}; check the fiscal year, and kd_klpd and kd_lpse in the settings"
        )
    elif not good:
        problems.append(f"no row of {service.name} could be read; look at {page.name} by hand")
    lost = [field for field in service.key if field not in fields] if good else []
    if service.key[0] in lost:
        # A heading of one word, as `ID` for pekerjaan_id, says more than one that shares the other words.
        word = service.key[0].rpartition("_")[2].casefold()
        hint = [column for column in unknown if column.strip().casefold() == word]
        hint += difflib.get_close_matches(service.key[0], unknown, 1, 0.4)
        example = f'"{hint[0]}"' if hint else '"the column that holds it"'
        problems.append(
            f"no row of {service.name} has {service.key[0]}, which it is known by; set in [{table}.columns] "
            f"{service.key[0]} = {example}. Its columns are {', '.join(columns)}"
        )
    # A national system that sends something new is no matter of the settings.
    if unknown and source.transport in ("files", "rest"):
        problems.append(
            f"{service.name} has columns that are not ours: {', '.join(unknown)}; map them in [{table}.columns], or "
            f"list them as ignore in [{table}]"
        )
    return Checked(
        service.name,
        scope,
        page.name,
        len(page.rows),
        len(page.rows) - len(good),
        tuple(field for field in columns if field in given),
        tuple(column for column in columns if column not in given and column not in unused),
        (*own.ignore, *(column for column in unused if column in service.ignored)) if good else (),
        tuple(lost),
        tuple(sorted(known - fields - set(service.key) - service.volatile)) if good else (),
        tuple(unknown),
        tuple(problems),
        empty=not page.rows,
    )


def _absent(name: str, service: Service, settings: Settings, scope: str) -> str:
    source = settings.sources[name].of(service.name)
    table = f'[sources.{name}.services."{service.name}"]'
    if source.transport == "files":
        wanted = source.service(service.name).file or f"{service.name}.json, .csv, .parquet or .xlsx"
        folder = Path((source.folder or settings.dumps or "").replace("{year}", scope))
        names = sorted(path.name for path in folder.glob("[!.~]*") if path.is_file())
        shown = f" (it has {', '.join(names[:_SHOWN])}{' ...' if len(names) > _SHOWN else ''})" if names else ""
        return (
            f"the folder of {name} has no file {wanted}{shown}; put it there, or set file in {table}; if nobody has "
            "such a list, set enabled = false there"
        )
    return f"{source.transport} has no list {service.name}; set enabled = false in {table} if it isn't needed"
