"""One process from proposal to progress, each step with the systems whose rows give it."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, case, exists, literal, or_, select

from pipeline.links import STANDING
from reports.process import contributions_of, states_of
from schemas.errors import SettingsError
from schemas.settings import Settings
from warehouse import tables as t
from warehouse.views import view_metadata

Step = tuple[str, str, list[str]]  # name of the step, systems whose rows give it, lines of text
_SHOWN = 5
_Words = dict[str, str]

_WORDS = {
    "en": {"planned": "planned", "bidders": "bidders", "signed": "signed", "of": "of {plan} % planned"},
    "id": {"planned": "pagu", "bidders": "penawar", "signed": "ditandatangani", "of": "dari rencana {plan} %"},
}

# Where in a release each step stands.
_STEPS = {
    "proposal": ("planning", "proposals"),
    "budget": ("planning", "budget"),
    "documents": ("planning", "documents"),
    "tender": ("tender",),
    "award": ("awards",),
    "contract": ("contracts",),
    "payments": ("contracts", "implementation", "transactions"),
    "progress": ("contracts", "implementation", "metrics"),
}


def traced(
    conn: Connection, settings: Settings, code: str | None, language: str = "en"
) -> tuple[dict[str, Any], list[Step]]:
    """The state of a process (by OCID or by a source's code; the fullest one by default) and its steps, in English
    or Indonesian (`id`).

    Raises SettingsError where there is no such process.
    """
    ocid = _chosen(conn, code)
    record = states_of(conn, [ocid]).get(ocid)
    if record is None:
        raise SettingsError(f"{ocid} has no record yet; `jejak waiting` shows rows that wait")
    systems = _systems(conn, settings, ocid)
    steps = {name: list(lines(record, _WORDS[language])) for name, lines in _LINES.items()}
    return record, [(name, ", ".join(sorted(systems[name])), steps[name]) for name in _STEPS]


def _chosen(conn: Connection, code: str | None) -> str:
    if code is None:
        view = view_metadata.tables["process_trace"].c
        steps = (
            view.proposals > 0,
            view.budget_lines > 0,
            view.contracted_amount > 0,
            view.disbursed_amount > 0,
            view.physical_progress.is_not(None),
        )
        query = (
            select(view.ocid)
            # Most systems first; then the reports of an office, and planning documents.
            .order_by(
                sum((case((step, 1), else_=0) for step in steps), literal(0)).desc(),
                view.financial_progress.is_(None),
                ~exists().where(t.document.c.ocid == view.ocid, t.document.c.stage == "planning"),
                view.ocid,
            )
        )
        found = conn.execute(query.limit(1)).scalar_one_or_none()
        if found is None:
            raise SettingsError("there is no record yet; `jejak sync` reads the sources and builds them")
        return str(found)
    query = (
        select(t.identity.c.ocid)
        .join(t.record, t.record.c.ocid == t.identity.c.ocid)
        .where(or_(t.identity.c.key == code, t.identity.c.ocid == code))
        .order_by(t.identity.c.ocid)
    )
    found = conn.execute(query.limit(1)).scalar_one_or_none()
    if found is None:
        found = _linked(conn, code)
    if found is None:
        raise SettingsError(f"no process has the code {code}; `jejak status` shows what has been synced")
    return str(found)


def _linked(conn: Connection, code: str) -> str | None:
    """The process that a proposal, a job or a budget line is linked to."""
    link, identity = t.link.c, t.identity.c
    query = (
        select(identity.ocid)
        .join(t.link, (link.to_kind == identity.kind) & (link.to_code == identity.key))
        .join(t.record, t.record.c.ocid == identity.ocid)
        .where(link.from_code == code, link.status.in_(STANDING))
        .order_by(link.confidence.desc(), identity.ocid)
    )
    found = conn.execute(query.limit(1)).scalar_one_or_none()
    return None if found is None else str(found)


def _systems(conn: Connection, settings: Settings, ocid: str) -> dict[str, set[str]]:
    """The systems whose rows give something of each step."""
    systems: dict[str, set[str]] = defaultdict(set)
    for each in contributions_of(conn, settings, ocid):
        for name, path in _STEPS.items():
            if _holds(each.partial.body, path):
                systems[name].add(each.source)
    return systems


def _holds(node: Any, path: tuple[str, ...]) -> bool:
    if not path:
        return bool(node)
    if isinstance(node, list):
        return any(_holds(item, path) for item in node)
    return isinstance(node, dict) and _holds(node.get(path[0]), path[1:])


def _proposals(record: dict[str, Any], words: _Words) -> Iterator[str]:
    for proposal in record.get("planning", {}).get("proposals", []):
        place = proposal.get("address", {})
        where = ", ".join(filter(None, (place.get("locality"), place.get("region"))))
        asked = _rupiah(proposal.get("value"))
        yield _line(proposal.get("title"), where, asked, proposal.get("statusDetails") or proposal.get("status"))


def _budget(record: dict[str, Any], words: _Words) -> Iterator[str]:
    budget = record.get("planning", {}).get("budget", {})
    yield from filter(None, [budget.get("description")])
    for line in budget.get("budgetBreakdown", []):
        yield _line(line.get("description"), _rupiah(line.get("amount")))
    if "amount" in budget:
        yield _line(words["planned"], _rupiah(budget["amount"]))


def _documents(record: dict[str, Any], words: _Words) -> Iterator[str]:
    for document in record.get("planning", {}).get("documents", []):
        yield _line(document.get("title"), document.get("url"))


def _tender(record: dict[str, Any], words: _Words) -> Iterator[str]:
    tender = record.get("tender", {})
    if tender:
        bidders = tender.get("numberOfTenderers")
        yield _line(
            tender.get("title"),
            tender.get("procurementMethodDetails"),
            _rupiah(tender.get("value")),
            f"{bidders} {words['bidders']}" if bidders else None,
            tender.get("status"),
        )


def _awards(record: dict[str, Any], words: _Words) -> Iterator[str]:
    for award in record.get("awards", []):
        names = ", ".join(party.get("name") or party["id"] for party in award.get("suppliers", []))
        yield _line(names, _rupiah(award.get("value")), award.get("status"))


def _contracts(record: dict[str, Any], words: _Words) -> Iterator[str]:
    for contract in record.get("contracts", []):
        signed = contract.get("dateSigned", "")[:10]
        yield _line(
            contract["id"],
            _rupiah(contract.get("value")),
            signed and f"{words['signed']} {signed}",
            contract.get("status"),
        )


def _payments(record: dict[str, Any], words: _Words) -> Iterator[str]:
    for contract in record.get("contracts", []):
        for payment in contract.get("implementation", {}).get("transactions", []):
            if "value" in payment:
                yield _line(payment.get("date", "")[:10], _rupiah(payment["value"]), payment["id"])


def _progress(record: dict[str, Any], words: _Words) -> Iterator[str]:
    """One line a report: what was done of what was planned, in percent, and what stood in the way."""
    reports: dict[str, list[str]] = defaultdict(list)
    for contract in record.get("contracts", []):
        planned = {(metric["id"], each["id"]): each["measure"] for metric, each in _measures(contract, "agreedMetrics")}
        for metric, each in _measures(contract.get("implementation", {}), "metrics"):
            if each.get("dimensions", {}).get("kind") == "deviation":
                continue
            known = planned.get((metric["id"], each["id"]))
            plan = "" if known is None else f" {words['of'].format(plan=known)}"
            day = str(each.get("period", {}).get("startDate", ""))[:10]
            reports[day].append(_line(f"{metric.get('title')} {each['measure']} %{plan}", each.get("notes")))
    for day, texts in sorted(reports.items()):
        yield _line(day, *texts)


def _measures(holder: dict[str, Any], name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The observations of a list of metrics that have a measure, each with its metric."""
    for metric in holder.get(name, []):
        yield from ((metric, each) for each in metric.get("observations", []) if "measure" in each)


_LINES = {
    "proposal": _proposals,
    "budget": _budget,
    "documents": _documents,
    "tender": _tender,
    "award": _awards,
    "contract": _contracts,
    "payments": _payments,
    "progress": _progress,
}


def _rupiah(value: dict[str, Any] | None) -> str | None:
    return f"Rp {value['amount']:,.0f}" if value and "amount" in value else None


def _line(*parts: str | None) -> str:
    return ", ".join(" ".join(part.split()) for part in parts if part)


def printed(record: dict[str, Any], steps: list[Step]) -> Iterator[str]:
    """The steps as lines of text; of many alike the last ones."""
    yield f"{record['ocid']}  {record.get('title') or record.get('tender', {}).get('title') or ''}"
    yield f"  {record.get('buyer', {}).get('name') or '-'}"
    for name, systems, lines in steps:
        yield f"  {name:<10} {f'({systems})' if lines else 'nothing known'}"
        if len(lines) > _SHOWN:
            yield f"    ... {len(lines) - _SHOWN} earlier ones"
        for line in lines[-_SHOWN:]:
            yield f"    {line}"
