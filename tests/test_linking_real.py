"""Links on real rows with the key hidden: how many are found again from the other evidence, and how many rightly.

The files are not part of this repository, and no row, code or name of them stands here: `JEJAK_REAL_DATA` names their
folder, by default `../shared/data` beside the repository. The figures are printed (`pytest -s`).
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from pipeline.links import OFFICE_SYSTEMS
from pipeline.registry import SERVICES, SOURCES
from reports.evaluate import SURE, hidden_contracts, measured
from schemas.errors import RowError
from transforms.evidence import Evidence, Link, united
from transforms.identity import RUP_KINDS, Code
from transforms.linking import OFFICE, RULES, is_purchase, links, packages
from transforms.rows import identify

DATA = Path(os.environ.get("JEJAK_REAL_DATA") or Path(__file__).parents[2] / "shared" / "data")
DUMPS = DATA / "isb-kab-bandung-2025"
SHEETS = DATA / "lpse-bojonegoro"
needs_dumps = pytest.mark.skipif(
    not DUMPS.is_dir(), reason=f"no folder of real dumps ({DUMPS.name}); name its parent in JEJAK_REAL_DATA"
)
needs_sheets = pytest.mark.skipif(
    not SHEETS.is_dir(), reason=f"no real spreadsheet ({SHEETS.name}); name its parent in JEJAK_REAL_DATA"
)

# Nothing but evidence decides here: the rule's own threshold keeps what has no kd_rup for an operator.
ACCEPT, PENDING = SURE, RULES["rup-package"].pending


@cache
def dump_evidence() -> tuple[tuple[str, str, Evidence], ...]:
    """(service, key, evidence) of all rows of the dumps that can be read."""
    return tuple(_dump_evidence())


def _dump_evidence() -> Iterator[tuple[str, str, Evidence]]:
    for name, (source, service) in SERVICES.items():
        path = DUMPS / f"{name}.json"
        for row in json.loads(path.read_text(encoding="utf-8")) if path.is_file() else ():
            try:
                identified = identify(service, row)
                record = service.model.model_validate(identified.fields)
            except (RowError, ValidationError):
                continue
            for evidence in SOURCES[source].mapping.evidence(name, record):
                yield name, identified.key, evidence


def figures(rule: str, found: list[Link], true: set[tuple[Code, Code]], accept: float) -> dict:
    sure = {(link.source, link.target) for link in found if link.confidence >= accept}
    waiting = {(link.source, link.target) for link in found if link.confidence < accept}
    shown = measured(rule, RULES[rule].truth, true, sure, waiting)
    print(json.dumps(shown))
    return shown


@needs_dumps
def test_contracts_are_found_again_without_their_key() -> None:
    subjects, true = hidden_contracts(dump_evidence())
    found = [link for link in links(subjects, OFFICE_SYSTEMS) if link.rule == "contract-payment"]
    shown = figures("contract-payment", found, true, RULES["contract-payment"].accept)
    assert shown["true"] > 1000
    # A few purchases are recorded twice, once as an attempt and once as a purchase with the contract's own number.
    assert shown["precision"] >= 0.995
    assert shown["recall"] >= 0.97
    assert shown["recall_with_pending"] >= 0.99


@needs_dumps
def test_packages_find_their_plans_without_the_code() -> None:
    """The few plans whose own rows are there, among which purchases that name one of them look for theirs."""
    parts: dict[Code, list[Evidence]] = defaultdict(list)
    for _, _, evidence in dump_evidence():
        if evidence.subject[0] in (*RUP_KINDS, OFFICE) or is_purchase(evidence.subject[0]):
            parts[evidence.subject].append(evidence)
    everything = [united(each) for each in parts.values()]
    plans = [each for each in everything if each.subject[0] in RUP_KINDS]
    known = {plan.subject for plan in plans}
    purchases = [each for each in everything if known.intersection(each.rups)]
    true = {(each.subject, rup) for each in purchases for rup in each.rups if rup in known}
    found = packages([replace(each, rups=()) for each in purchases], plans)
    shown = figures("rup-package", found, true, ACCEPT)
    assert shown["true"] == len(true)
    assert shown["precision"] is None or shown["precision"] >= 0.9


@needs_sheets
@pytest.mark.parametrize(("by", "precision", "recall"), [("pagu", 0.995, 0.965), ("hps", 0.99, 0.93)])
def test_tenders_find_their_plans_without_the_code(by: str, precision: float, recall: float) -> None:
    """A plan's name, office and budget (pagu) beside a tender's; by `hps`, the tender's budget is unknown too."""
    [workbook] = SHEETS.glob("*.xlsx")
    sheet = pd.read_excel(workbook, dtype=object).rename(columns=str.strip)
    rows: list[dict[str, Any]] = sheet.astype(object).where(sheet.notna(), None).to_dict("records")  # type: ignore[assignment]
    codes = {name: f"9.9.9.9.{number}" for number, name in enumerate(sorted({r["satker"] for r in rows} - {None}), 1)}
    plans: dict[Code, Evidence] = {}
    purchases = []
    true = set()
    for row in rows:
        subject, plan = ("tender", str(row["kode_lelang"])), ("rup", str(row["id_rup"]))
        office = codes.get(row["satker"]), row["satker"]
        purchases.append(Evidence(subject, None, *office, amounts=(float(row[by]),), titles=(row["nama_paket"],)))
        if row["nama_rup"]:
            budget = (float(row["pagu"]),)
            plans.setdefault(plan, Evidence(plan, None, *office, amounts=budget, titles=(row["nama_rup"],)))
            true.add((subject, plan))
    found = figures("rup-package", packages(purchases, plans.values()), true, ACCEPT)
    assert found["true"] > 1300
    assert found["precision"] >= precision
    assert found["recall"] >= recall
    assert found["recall_with_pending"] >= 0.98
