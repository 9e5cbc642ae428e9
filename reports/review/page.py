"""The page of what quality checks found: one HTML file, charts and all, that needs nothing else."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy import Connection, func, select

from reports.review.sheets import MOST, words
from warehouse import tables as t

Object = dict[str, Any]

_SHOWN = 20
_COLOURS = {"error": "#b3261e", "warning": "#c77700", "notice": "#5f6b7a"}
_ORDER = list(_COLOURS)


def write_page(conn: Connection, path: Path, name: str, sheets: Sequence[Object]) -> None:
    """Write the page of the publisher `name`; `sheets` are the files that `write_sheets` wrote, linked from it."""
    loader = PackageLoader("reports.review")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = lambda value: f"{value:,.0f}"
    path.write_text(environment.get_template("page.html").render(contents(conn, name, sheets)), encoding="utf-8")


def contents(conn: Connection, name: str, sheets: Sequence[Object]) -> Object:
    """What the page shows: `rules` by severity and money with their worst findings, `measures`, `sources`, `charts`."""
    rules = _rules(conn)
    measures = _measures(conn)
    offices = _offices(conn)
    records = conn.execute(select(func.count()).select_from(t.record)).scalar_one()
    finished = conn.execute(select(func.max(t.run.c.finished_at)).where(t.run.c.built > 0)).scalar_one()
    totals = {severity: sum(rule["findings"] for rule in rules if rule["severity"] == severity) for severity in _ORDER}
    affected = conn.execute(select(func.count(func.distinct(t.quality_finding.c.ocid)))).scalar_one()
    return {
        "name": name,
        "records": records,
        "affected": affected,
        "as_of": finished,
        "totals": totals,
        "rules": rules,
        "most": MOST,
        "shown": _SHOWN,
        "measures": measures,
        "offices": offices,
        "sheets": sheets,
        "charts": _charts(rules, offices, measures),
    }


def _rules(conn: Connection) -> list[Object]:
    """The rules that found something, each with its number, the money of the processes concerned, and the findings of
    most money."""
    columns = t.quality_finding.c
    by_code: dict[str, Object] = {}
    grouped = select(columns.code, columns.level, columns.severity, func.count().label("findings")).group_by(
        columns.code, columns.level, columns.severity
    )
    for row in conn.execute(grouped):
        text = words()[row.code]
        titles = {"title": text["english"], "judul": text["judul"]}
        by_code[row.code] = {**row._mapping, **titles, "money": 0, "processes": 0}
    each = select(columns.code, columns.ocid, func.max(columns.amount).label("amount")).group_by(
        columns.code, columns.ocid
    )
    money = each.where(columns.ocid.is_not(None)).subquery()
    summed = select(money.c.code, func.count().label("processes"), func.sum(money.c.amount).label("money"))
    for row in conn.execute(summed.group_by(money.c.code)):
        by_code[row.code].update(processes=row.processes, money=float(row.money or 0))
    for code, rule in by_code.items():
        worst = (
            select(t.quality_finding)
            .where(columns.code == code)
            .order_by(func.coalesce(columns.amount, 0).desc(), columns.number)
            .limit(MOST)
        )
        rule["worst"] = [dict(row) for row in conn.execute(worst).mappings()]
    return sorted(by_code.values(), key=lambda rule: (_ORDER.index(rule["severity"]), -rule["money"], rule["code"]))


def _measures(conn: Connection) -> dict[str, dict[str, list[Object]]]:
    """Kind -> subject (of `values` and `repeated` the field) -> the counts with their share."""
    found: dict[str, dict[str, list[Object]]] = defaultdict(lambda: defaultdict(list))
    columns = t.quality_measure.c
    query = select(t.quality_measure).order_by(columns.kind, columns.subject, columns.rows.desc(), columns.field)
    for row in conn.execute(query).mappings():
        group = row["field"] if row["kind"] in ("values", "repeated") else row["subject"]
        found[row["kind"]][group].append({**row, "share": row["rows"] / row["of"] if row["of"] else None})
    return {kind: dict(groups) for kind, groups in found.items()}


def _offices(conn: Connection) -> list[Object]:
    columns = t.quality_finding.c
    query = (
        select(columns.office_name, columns.severity, func.count().label("findings"))
        .where(columns.office_name.is_not(None))
        .group_by(columns.office_name, columns.severity)
    )
    return [dict(row) for row in conn.execute(query).mappings()]


def _charts(rules: list[Object], offices: list[Object], measures: dict[str, dict[str, list[Object]]]) -> Object:
    colour = alt.Color(
        "severity:N", scale=alt.Scale(domain=_ORDER, range=list(_COLOURS.values())), legend=alt.Legend(title=None)
    )
    counted = [{name: rule[name] for name in ("title", "findings", "severity", "money")} for rule in rules]
    by_rule = _bars(counted, "findings", "Findings", "title", colour)
    billions = [{**rule, "money": rule["money"] / 1e9} for rule in counted if rule["money"]]
    by_money = _bars(billions, "money", "Money of the processes (billion IDR)", "title", colour)
    totals: dict[str, int] = defaultdict(int)
    for each in offices:
        totals[each["office_name"]] += each["findings"]
    first = sorted(totals, key=lambda office: -totals[office])[:15]
    by_office = _bars([o for o in offices if o["office_name"] in first], "findings", "Findings", "office_name", colour)
    filled = [
        {"what": f"{subject}: {each['field']}", "share": each["share"], "subject": subject}
        for subject in ("plan", "attempt", "award", "contract")
        for each in measures.get("filled", {}).get(subject, [])
        if each["share"] is not None
    ]
    fill = _bars(filled, "share", "Share filled", "what", alt.Color("subject:N", legend=None), domain=(0, 1))
    return {"rules": by_rule, "money": by_money, "offices": by_office, "filled": fill}


def _bars(
    rows: list[Object], amount: str, title: str, label: str, colour: Any, domain: tuple[float, float] | None = None
) -> Markup | None:
    """A bar chart as SVG; None without rows."""
    if not rows:
        return None
    axis = alt.Axis(format="%" if domain else ",~f", grid=True)
    scale = alt.Scale(domain=domain) if domain else alt.Scale()
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar()
        .encode(
            x=alt.X(f"{amount}:Q", title=title, axis=axis, scale=scale),
            y=alt.Y(f"{label}:N", title=None, sort="-x", axis=alt.Axis(labelLimit=360)),
            color=colour,
        )
        # Room for labels where the reader has a wider font.
        .properties(width=520, padding={"left": 60, "top": 5, "right": 5, "bottom": 5})
        .configure_view(strokeWidth=0)
    )
    return Markup(vl_convert.vegalite_to_svg(chart.to_dict()))
