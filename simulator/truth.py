"""What is true of a world: which process each row belongs to, how processes are related, what no code table knows.

Computed from the facts, which know what was bought for which plan and which attempt was the first; not by reading rows
as a pipeline must. Processes are named without the prefix of the OCID: `rup-<kd_rup>`, `swk-<kd_rup>`,
`tender-<kd_tender>`, `nontender-<kd_nontender>`, `pencatatan-<id>`, `swakelola-<id>`, `ecat-<kd_paket>`,
`tokodaring-<order_id>`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator import musrenbang, simda, simpen
from simulator.facts import FAILED, UNKNOWN, Attempt, Office, Order, Plan, Recorded
from simulator.rendering import Row, Service
from simulator.services import SERVICES
from simulator.state import State

Link = tuple[str, str, str, str]


def truth(world: State) -> dict[str, Any]:
    """The expected outcome if all services are read at once, each day from the first, as plain JSON.

    - `rows`: service -> code (as text) -> process, for every row that names a process; the other members of its family
      carry the planning section of a RUP row too, but it belongs to this one
    - `gone`: the same for rows that vanished since the first day
    - `relations`: [process, relationship, related process], sorted
    - `families`: lists of processes that share a RUP, those of more than one member
    - `contracts`: [kind of attempt, its code, value at first, value now, number of addenda, whether terminated early]
    - `payments`: how many SIMDA and SIPD made for contracts, and their sum in IDR; one that both hold is one
    - `cancelled`: processes whose plan was cancelled and not taken back
    - `unknown`: [service, field, value] of code values that no table knows
    - `counts`: service -> number of rows
    - `links`: rule -> [kind, code, kind, code] of what belongs together, sorted, both of which have a row today
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
                    if isinstance(service.facts, str) and not service.key:
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
        "contracts": sorted(
            [
                attempt.kind,
                str(attempt.id),
                contract.versions[0].value,
                contract.versions[-1].value,
                contract.versions[-1].number,
                contract.broken_off is not None,
            ]
            for attempt in world.attempts
            if (contract := attempt.contract)
        ),
        "payments": _payments(world),
        "cancelled": sorted(plan.process for plan in world.plans if plan.cancelled),
        "unknown": [list(each) for each in sorted(unknown)],
        "links": {rule: sorted(map(list, found)) for rule, found in _links(world).items()},
    }


def _payments(world: State) -> dict[str, float]:
    made = [
        simda.total(paper.parts)
        for entry in world.ledger
        for paper in entry.payments
        if not entry.absent and simda.is_made(paper)
    ]
    return {"count": len(made), "amount": round(sum(made), 2)}


def _known_plans(world: State) -> list[Plan]:
    return [*world.plans, *(fact for fact in world.vanished if isinstance(fact, Plan))]


def _known_attempts(world: State) -> list[Attempt]:
    return [*world.attempts, *(fact for fact in world.vanished if isinstance(fact, Attempt))]


def _purchases(world: State) -> Iterator[Attempt | Recorded | Order]:
    yield from _known_attempts(world)
    yield from world.recorded
    yield from world.orders
    yield from world.old_orders


def _relations(world: State) -> set[tuple[str, str, str]]:
    relations: set[tuple[str, str, str]] = set()
    for plan in _known_plans(world):
        # What a package was split into goes by codes of its own.
        relations |= {(part.process, "replacementProcess", plan.process) for part in plan.parts}
        # Only the row of the announced package says what it is part of.
        if plan.inside and plan.stands:
            relations.add((plan.process, "parent", plan.inside.process))
    for attempt in _known_attempts(world):
        if attempt.previous and attempt.previous.status == FAILED:
            relations.add((attempt.process, "unsuccessfulProcess", attempt.previous.process))
    for purchase in _purchases(world):
        relations |= {(purchase.process, "planning", plan.process) for plan in purchase.plans}
    return {(process, kind, other) for process, kind, other in relations if process != other}


def _families(world: State) -> list[list[str]]:
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


# --- links ------------------------------------------------------------------------------------------------------------


def _links(world: State) -> dict[str, set[Link]]:
    """By rule, what belongs together. A package goes by the codes that it has rows of today: the current one, and for
    budgets an old one whose budget lines are still listed."""
    return {
        "office": _offices(world),
        "rup-package": _named_packages(world),
        "budget-package": _budgets(world),
        "contract-payment": {
            ("kontrak", f"{entry.year}|{_code(entry.number)}", entry.attempt.kind, str(entry.attempt.id))
            for entry in world.ledger
            if entry.attempt and not entry.absent and entry.attempt not in world.vanished
        },
        "contract-report": {
            ("pekerjaan", str(job.id), job.attempt.kind, str(job.attempt.id))
            for job in world.jobs
            if job.attempt and not job.absent and job.attempt not in world.vanished
        },
        "proposal-package": {
            (proposal.kind, str(proposal.id), plan.kind, str(plan.code))
            for proposal in world.proposals
            if not proposal.absent
            for plan in proposal.need.plans
            # Also one that is told of by its budget and its place alone.
            if plan.listed and plan not in world.vanished
        },
        "document-package": _documents(world),
    }


def _code(text: str) -> str:
    """A code as the pipeline keeps it: blanks folded."""
    return " ".join(text.split())


def _offices(world: State) -> set[Link]:
    found = set()
    for name, offices in _offices_named(world).items():
        found |= {(name, code, "office", office.code) for office, code in offices}
    return found


def _offices_named(world: State) -> dict[str, set[tuple[Office, str]]]:
    """By source, each office that a row of today names, with its code there or, without one, its name."""
    budgets = [line.sub.office for line in world.accounts if not line.absent]
    budgets += [entry.sub.office for entry in world.ledger if not entry.absent]
    proposed = [proposal.office for proposal in world.proposals if not proposal.absent]
    followed = [job.office for job in world.jobs if not job.absent]
    return {
        "simda": {(office, simda.own_code(office)) for office in budgets},
        "musrenbang": {
            (office, musrenbang.office_code(office) or musrenbang.office_name(office)) for office in proposed
        },
        "simpen": {(office, simpen.office_code(office) or simpen.office_name(office)) for office in followed},
    }


def _named_packages(world: State) -> set[Link]:
    """What attempts, records and orders say of the packages that they buy, by the codes that they name."""
    purchases: list[Attempt | Recorded | Order] = [*world.attempts, *world.recorded, *world.orders, *world.old_orders]
    found = set()
    for purchase in purchases:
        kind = "ecat" if isinstance(purchase, Order) else purchase.kind
        for code in set(purchase.named) - {"0", "-", ""}:
            plan = next((plan for plan in purchase.plans if code in _codes_of(plan)), None)
            if plan and plan not in world.vanished:
                found.add((kind, str(purchase.id), plan.kind, code))
    return found


def _codes_of(plan: Plan) -> set[str]:
    return {str(plan.root), str(plan.code), *(str(revision.new) for revision in plan.revisions)}


def _listed(world: State) -> list[Plan]:
    return [plan for plan in world.plans if plan.listed]


def _canonical(mak: str) -> str:
    """The twelve segments of a budget code, without leading zeros."""
    return ".".join(str(int(part)) for part in mak.strip(".").split(".")[:12])


def _by_mak(world: State) -> dict[tuple[int, str], set[tuple[Office, str, str]]]:
    """(fiscal year, mak) -> office, kind and code of the packages whose budget lines carry it."""
    found: dict[tuple[int, str], set[tuple[Office, str, str]]] = {}
    for plan in _listed(world):
        codes = [code for code, _ in plan.codes]
        for line in plan.lines:
            packages = found.setdefault((plan.year, _canonical(line.mak)), set())
            packages |= {(plan.office, plan.kind, str(code)) for code in codes}
    return found


def _budgets(world: State) -> set[Link]:
    packages = _by_mak(world)
    found = set()
    for line in world.accounts:
        if not (simda.is_bridged(line.year) and simda.is_mapped(line.account)):
            continue
        subject = next((_subject(SERVICES["SIMDA-Anggaran"], row, 13) for row in simda.budget(world, line)), None)
        for office, kind, code in packages.get((line.year, _canonical(f"{line.sub.code}.{line.account}")), ()):
            if subject and office is line.sub.office:
                found.add(("anggaran", subject, kind, code))
    return found


def _subject(service: Service, row: Row, parts: int) -> str:
    return "|".join(_code(str(row[field])) for field in service.key[:parts])


def _documents(world: State) -> set[Link]:
    packages = _by_mak(world)
    found = set()
    for document in world.documents:
        if document.absent:
            continue
        subject = f"{document.code}|{document.url}"
        if document.plan is None:
            targets = {(kind, code) for _, kind, code in packages.get((document.year, _canonical(document.code)), ())}
        else:
            gone = document.plan in world.vanished
            targets = set() if gone else {(document.plan.kind, document.code)}
        found |= {("dokumen", subject, kind, code) for kind, code in targets}
    return found
