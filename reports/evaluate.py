"""How good the links are: a simulated regency, whose truth is known, is synced into a warehouse of its own."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from pipeline import steps
from pipeline.links import OFFICE_SYSTEMS, STANDING, older_codes
from schemas.settings import Settings
from transforms.evidence import Evidence, Link, from_text, united
from transforms.identity import RUP_KINDS, Code, canonical
from transforms.linking import OFFICE, RULES, is_purchase, links, packages
from warehouse import tables as t
from warehouse.engine import reading

Pair = tuple[Code, Code]

# Purchases join plans by kd_rup alone; were it not there, this confidence would do (docs/links.md has the figures).
SURE = 0.8


def evaluate(folder: Path, seed: int, noise: float, packages: int) -> list[dict[str, Any]]:
    """Links found in a simulated regency beside its truth, per rule.

    `{"rule", "truth" (one-to-one, ...), "true", "found", "precision", "recall", "pending", "recall_with_pending"}`:
    counts of links, and shares of them; None where there is nothing to take a share of. `folder` is an empty one.
    """
    from simulator.server import running  # only here: no other report needs the simulator
    from simulator.truth import truth
    from simulator.world import evaluation_world

    world = evaluation_world(seed, noise=noise, packages=packages)
    database = f"sqlite:///{folder / 'simda.db'}"
    with running(world, simda_url=database) as server:
        settings = _settings(world, server.url, database, folder)
        run_id = steps.start_run(settings, "sync")
        for result in steps.sync_services(settings, steps.plan_of(settings), run_id):
            if result["status"] == "failed":
                raise RuntimeError(f"{result['service']}: {result['message']}")
        steps.build_records(settings, run_id)
        steps.finish_run(settings, run_id)
    true = {rule: {((a, b), (c, d)) for a, b, c, d in pairs} for rule, pairs in truth(world)["links"].items()}
    with reading(steps.warehouse(settings)) as conn:
        return compared(conn, true)


def _settings(world: Any, url: str, database: str, folder: Path) -> Settings:
    """The simulated regency, each system through the access method that it has in reality."""
    isb = {"transport": "isb", "url": f"{url}/isb-2", "api_key": "simulator", "service_no": "0"}
    sources = {
        "sirup": isb,
        "lpse": isb,
        "simda": {"transport": "sql", "database": database},
        **{name: {"transport": "rest", "url": f"{url}/{name}/api"} for name in ("musrenbang", "simpen", "dokumen")},
    }
    return Settings.model_validate(
        {
            "name": "Simulated regency",
            "ocid_prefix": "ocds-000000",
            "kd_klpd": world.kd_klpd,
            "kd_lpse": world.kd_lpse,
            "fiscal_years": world.years,
            "warehouse_url": f"sqlite:///{folder / 'evaluation.db'}",
            "sources": sources,
        }
    )


def compared(conn: Connection, true: dict[str, set[Pair]]) -> list[dict[str, Any]]:
    """The warehouse's links beside true ones; a plan's codes before and after a revision are one."""
    older = older_codes(conn)

    def plain(pairs: set[Pair]) -> set[Pair]:
        return {(source, canonical(target, older)) for source, target in pairs}

    found: dict[str, set[Pair]] = defaultdict(set)
    pending: dict[str, set[Pair]] = defaultdict(set)
    for row in conn.execute(select(t.link)):
        pair = (row.from_kind, row.from_code), (row.to_kind, row.to_code)
        if row.status in STANDING:
            found[row.rule].add(pair)
        elif row.status == "pending":
            pending[row.rule].add(pair)
    for row in conn.execute(select(t.rup_reference)):
        found["rup-package"] |= {((row.kind, row.code), (kind, code)) for kind, code in row.rups}
    return [
        measured(name, rule.truth, plain(true.get(name, set())), plain(found[name]), plain(pending[name]))
        for name, rule in RULES.items()
    ]


def hidden(conn: Connection) -> list[dict[str, Any]]:
    """How many links the warehouse's own rows would give, were the key that they share not there: contracts to the
    awards that they carry out, purchases to the plans that they name. As `evaluate` otherwise."""
    rows_by_year: dict[int | None, list[tuple[str, str, Evidence]]] = defaultdict(list)
    for row in conn.execute(select(t.evidence)):
        rows_by_year[row.year].append((row.service, row.key, from_text((row.kind, row.code), row.year, row.content)))
    offices = rows_by_year.pop(None, [])
    figures: dict[str, tuple[set[Pair], set[Pair], set[Pair]]] = {
        "contract-payment": (set(), set(), set()),
        "rup-package": (set(), set(), set()),
    }
    for rows in rows_by_year.values():
        for rule, (true, links_found, sure) in {
            "contract-payment": _hidden_contracts([*offices, *rows]),
            "rup-package": _hidden_packages([*offices, *rows]),
        }.items():
            figures[rule][0].update(true)
            for link in links_found:
                figures[rule][1 if link.confidence >= sure else 2].add((link.source, link.target))
    return [measured(rule, RULES[rule].truth, *sets) for rule, sets in figures.items()]


def hidden_contracts(rows: Iterable[tuple[str, str, Evidence]]) -> tuple[list[Evidence], set[tuple[Code, Code]]]:
    """(subjects, true pairs) that show how well contracts are found without their key, made of real rows of SPSE.

    `rows` are (service, row's key, evidence). A contract's row stands for what is paid, with what a treasury would
    have of it: office, number, supplier's name, amount, date. What announcements and awards hold stands for the
    purchases; other papers of the contract, which repeat its number, are left out.
    """
    contracts: dict[Code, Evidence] = {}
    awards: dict[Code, list[Evidence]] = defaultdict(list)
    kept: list[Evidence] = []
    true: set[tuple[Code, Code]] = set()
    for service, key, evidence in sorted(rows, key=lambda row: row[:2]):
        if service.endswith("Ekontrak-2Kontrak"):
            # v1 has a row too where there is no contract.
            if not evidence.numbers:
                continue
            subject = ("kontrak", f"{evidence.subject[0]}|{key}")
            bare = replace(
                evidence, subject=subject, rups=(), maks=(), letters=(), supplier_codes=(), taxes=(), titles=()
            )
            contracts[subject] = united([contracts[subject], bare]) if subject in contracts else bare
            true.add((subject, evidence.subject))
        elif is_purchase(evidence.subject[0]) and not service.endswith(("3SPMKSPP", "4BAPBAST")):
            awards[evidence.subject].append(evidence)
        elif evidence.subject[0] == OFFICE:
            kept.append(evidence)
    kept += contracts.values()
    kept += (united(parts) for parts in awards.values())
    return kept, {(contract, award) for contract, award in true if award in awards}


def _hidden_contracts(rows: list[tuple[str, str, Evidence]]) -> tuple[set[Pair], list[Link], float]:
    subjects, true = hidden_contracts(rows)
    found = [link for link in links(subjects, OFFICE_SYSTEMS) if link.rule == "contract-payment"]
    return true, found, RULES["contract-payment"].accept


def _hidden_packages(rows: list[tuple[str, str, Evidence]]) -> tuple[set[Pair], list[Link], float]:
    """Of the plans whose own row is known, not their budget lines alone, and the purchases that name one of them."""
    parts: dict[Code, list[Evidence]] = defaultdict(list)
    for _, _, evidence in rows:
        parts[evidence.subject].append(evidence)
    everything = [united(each) for each in parts.values()]
    plans = [each for each in everything if each.subject[0] in RUP_KINDS and each.titles]
    known = {plan.subject for plan in plans}
    purchases = [each for each in everything if is_purchase(each.subject[0]) and known.intersection(each.rups)]
    true = {(each.subject, rup) for each in purchases for rup in each.rups if rup in known}
    return true, packages([replace(each, rups=()) for each in purchases], plans), SURE


def measured(rule: str, truth: str, true: set[Pair], found: set[Pair], pending: set[Pair]) -> dict[str, Any]:
    """One rule's figures."""
    right = found & true
    return {
        "rule": rule,
        "truth": truth,
        "true": len(true),
        "found": len(found),
        "precision": _share(len(right), len(found)),
        "recall": _share(len(right), len(true)),
        "pending": len(pending),
        "recall_with_pending": _share(len((found | pending) & true), len(true)),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
