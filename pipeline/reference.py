"""The reference of all settings, from their models: `python -m pipeline.reference` writes docs/settings.md."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.registry import SOURCES
from schemas.settings import Alerts, ServiceSettings, Settings, Site, SourceSettings, SplitColumn, Thresholds
from transforms.linking import RULES

PATH = Path(__file__).parent.parent / "docs" / "settings.md"

_HEAD = """# Settings

Made from `schemas/settings.py` by `python -m pipeline.reference`. [Configure your regency](configure.md) is where to
begin.

A settings file is TOML. The environment overrides any value: `JEJAK_`, then the names of the tables and of the setting
in upper case, joined by `__`, with `_` for `-`: `JEJAK_WAREHOUSE_URL`, `JEJAK_SOURCES__LPSE__TOKEN`,
`JEJAK_SOURCES__SIMPEN__SERVICES__SIMPEN_PEKERJAAN__FILE`. Lists and tables are written as JSON:
`JEJAK_FISCAL_YEARS='[2025, 2026]'`. Secrets belong into the environment alone. In Airflow, Connections lie between the
file and the environment ([deploy/](../deploy/README.md)).

A name that doesn't exist is an error that names the one that was meant.
"""

_ENVIRONMENT = """## Variables that are no settings

| variable | what |
|---|---|
| `JEJAK_SETTINGS` | the settings file that commands and DAGs read where `--settings` names none |
| `JEJAK_NOW` | the time that Jejak takes for now, such as `2025-06-30T12:00:00Z`: to repeat a run |

What Kubernetes puts into each container for a service called `jejak` (`JEJAK_SERVICE_HOST`, `JEJAK_PORT`,
`JEJAK_PORT_80_TCP_ADDR`, ...) is passed over.
"""

_UNITS = {
    "seconds": "seconds",
    "megabytes": "MB",
    "days": "days",
    "hours": "hours",
    "months": "months",
    "share": "share, 0 to 1",
    "accept": "share, 0 to 1",
    "pending": "share, 0 to 1",
    "rows": "rows",
    "size": "rows",
    "pages": "pages",
}
"""The unit of a number, by the last word of its name."""


def reference() -> str:
    """All settings as Markdown: where they stand, meaning, unit, default, example; then the names that tables take."""
    return "\n".join(
        [
            _HEAD,
            *_section("The regency", "At the top of the file.", Settings),
            *_section("A source", f"In `[sources.NAME]`; NAME is {_names(SOURCES)}.", SourceSettings),
            *_section(
                "A service",
                'In `[sources.NAME.services."SERVICE"]`: one list of a source. The services are listed below.',
                ServiceSettings,
            ),
            *_section(
                "A part of a column",
                "In `columns`, in place of a column's name: `mtd_pemilihan = "
                '{column = "sistem_pengadaan", split = " - ", part = 0}`.',
                SplitColumn,
            ),
            *_section("A linking rule", f"In `[links.RULE]`; RULE is {_names(RULES)}.", Thresholds),
            *_section("Alerts", "In `[alerts]`.", Alerts),
            *_section("The page for citizens", "In `[site]`.", Site),
            _ENVIRONMENT,
            *_services(),
        ]
    )


def _section(title: str, where: str, model: type[BaseModel]) -> list[str]:
    lines = [f"## {title}\n", f"{where}\n", "| setting | meaning | unit | default | example |", "|---|---|---|---|---|"]
    for name, field in model.model_fields.items():
        cells = [f"`{name}`", field.description or "", _unit(name, field), _default(field), _example(field)]
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return [*lines, ""]


def _unit(name: str, field: FieldInfo) -> str:
    return "" if field.annotation is bool else _UNITS.get(name.rpartition("_")[2], "")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    return "" if value in (None, {}, []) or isinstance(value, BaseModel) else f"`{toml(value)}`"


def _example(field: FieldInfo) -> str:
    return ", ".join(f"`{toml(value)}`" for value in field.examples or ())


def toml(value: Any) -> str:
    """A value as TOML writes it, tables inline."""
    match value:
        case date():
            return value.isoformat()
        case Mapping():
            return "{" + ", ".join(f"{_key(name)} = {toml(item)}" for name, item in value.items()) + "}"
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case int() | float() if not isinstance(value, bool):
            return f"{value:_}" if isinstance(value, int) and value >= 10_000 else str(value)
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def _names(names: Any) -> str:
    *first, last = (f"`{name}`" for name in names)
    return f"{', '.join(first)} or {last}"


def _services() -> list[str]:
    lines = [
        "## Services and their fields\n",
        "The names that `services`, `api_keys`, `columns` and `constants` take. What a row is known by is bold. "
        "`jejak check --draft` proposes which column is which.\n",
    ]
    for source in SOURCES.values():
        lines.append(f"### {source.name}\n")
        for service in source.services.values():
            others = [field for field in service.fields if field not in service.key]
            fields = [*(f"**`{field}`**" for field in service.key), *(f"`{field}`" for field in others)]
            lines += [f"#### {service.name}\n", f"{', '.join(fields)}\n"]
    return lines


if __name__ == "__main__":
    PATH.write_text(reference(), encoding="utf-8")
