"""What the table of red flags holds, and the page that documents the flags: `python -m reports.flags` writes it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from schemas.errors import SettingsError
from schemas.flags import FlagSettings
from transforms.flags.model import Flag
from transforms.flags.registry import FLAGS
from warehouse import tables as t

PAGE = Path(__file__).parents[1] / "docs" / "redflags.md"
_GENERATED = (
    "<!-- From here on made by `python -m reports.flags` from transforms/flags and the settings' defaults. -->\n"
)


def wanted(code: str | None) -> tuple[Flag, ...]:
    """The flag with a code, or all. Raises SettingsError for a code that no flag has."""
    found = tuple(flag for flag in FLAGS if code in (None, flag.code))
    if not found:
        raise SettingsError(f"there is no flag {code}; `jejak flags` lists them")
    return found


def counts(conn: Connection, flags: Sequence[Flag], year: int | None = None) -> list[dict[str, Any]]:
    """For each flag `{"code", "title", "computable", "flagged", "subject"}`: subjects for which it could be computed,
    those that are flagged, and the kind of subject."""
    columns = t.flag.c
    query = select(
        columns.code,
        func.count(func.distinct(case((columns.computable, columns.subject_id)))).label("computable"),
        func.count(func.distinct(case((columns.flagged, columns.subject_id)))).label("flagged"),
    ).group_by(columns.code)
    found = {row.code: row for row in conn.execute(_of_year(query, year))}
    return [
        {
            "code": flag.code,
            "title": flag.title,
            "computable": found[flag.code].computable if flag.code in found else 0,
            "flagged": found[flag.code].flagged if flag.code in found else 0,
            "subject": flag.subject,
        }
        for flag in flags
    ]


def flagged(conn: Connection, flags: Sequence[Flag], year: int | None = None) -> Iterator[dict[str, Any]]:
    """The flagged subjects: `{"code", "subject_kind", "subject_id", "name", "fiscal_year", "why"}`."""
    columns = t.flag.c
    query = (
        select(columns.code, columns.subject_kind, columns.subject_id, columns.name, columns.fiscal_year, columns.why)
        .where(columns.flagged, columns.code.in_([flag.code for flag in flags]))
        .order_by(columns.code, columns.fiscal_year, columns.subject_id)
    )
    for row in conn.execute(_of_year(query, year)).mappings():
        yield dict(row)


def _of_year(query: Select[Any], year: int | None) -> Select[Any]:
    return query if year is None else query.where(t.flag.c.fiscal_year == year)


def page() -> str:
    """What the generated part of docs/redflags.md must be."""
    defaults = FlagSettings()
    lines = [_GENERATED, "| code | title | subject | computable from real rows |", "|---|---|---|---|"]
    lines += [f"| [{f.code}](#{f.code.lower()}) | {f.title} | {f.subject} | {f.never or f.fed} |" for f in FLAGS]
    for flag in FLAGS:
        lines += [f"\n### {flag.code}\n", f"**{flag.title}** (of a {flag.subject}).\n", f"- Rule: {flag.rule}"]
        lines.append(f"- From: {flag.source}")
        inputs = [f"`{path.replace('|', '` or `')}`" for path in flag.inputs]
        lines.append(f"- Inputs: {', '.join(inputs) or 'of the process itself none'}")
        if flag.in_year:
            lines.append(
                f"- In the fiscal year some process must have: {', '.join(f'`{path}`' for path in flag.in_year)}"
            )
        for name in flag.settings:
            described = FlagSettings.model_fields[name].description or "see below"
            value = "see Limits" if name == "limits" else f"`{getattr(defaults, name)}`"
            lines.append(f"- Setting `{name}`: {value}; {described}")
        lines.append(f"- Never computable here: {flag.never}" if flag.never else f"- Fed by: {flag.fed}")
    return "\n".join(lines) + "\n"


def documented() -> str:
    """The whole page: what was written by hand, and the generated part."""
    return PAGE.read_text(encoding="utf-8").partition(_GENERATED)[0] + page()


if __name__ == "__main__":
    PAGE.write_text(documented(), encoding="utf-8")
