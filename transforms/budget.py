"""What a budget account code (mak) gives: the plan's budget, what is bought, and in which category."""

from collections.abc import Iterable
from typing import Any

from transforms import codes, mak
from transforms.identity import PLANNING
from transforms.mapping import Body, Context, filled, money
from transforms.parties import scrub

ACCOUNT_SCHEME = "JEJAK-REKENING"
"""Accounts (kode rekening) of Permendagri 90, in no register of classifications."""
PRODUCT_SCHEME = "JEJAK-PRODUK"
"""Products of the e-catalogue."""


def plan_budget(context: Context, record: Any, rups: Iterable[str], lines: Iterable[str], funds: Iterable[str]) -> Body:
    """`planning.budget` as a purchase's own row has it, for where the plan's rows are missing: pagu, RUPs, year, source
    of funds, and its account codes. Of one code the amount is the whole pagu; how several share it is not known."""
    known = sorted({line for line in map(mak.canonical, lines) if line})
    year = record.tahun_anggaran
    pagu = filled(record, "pagu")
    fund = "; ".join(sorted(set(funds)))
    return {
        "id": "+".join(sorted(set(rups))),
        "amount": money(pagu),
        **projects(context, year, known),
        "fiscalYear": year,
        "fund": scrub(fund),
        "isRepeated": is_repeated(context),
        "budgetBreakdown": [
            {
                "id": "-".join(filter(None, (line, "-".join(fund.split()), str(year or "")))),
                "description": " ".join(filter(None, (line, fund))),
                "amount": money(pagu) if len(known) == 1 else None,
                "period": context.period(f"{year}-01-01", f"{year}-12-31") if year else None,
            }
            for line in known
        ],
    }


def is_repeated(context: Context) -> bool | None:
    """Whether the plan stands in a process of its own too, so that sums over processes leave it out here. Plans that
    were bought together and that SIRUP does not announce stand nowhere else."""
    related = any(relationship == PLANNING for relationship, _ in context.relations)
    return (related and (context.planned or len(context.rups) == 1)) or None


def projects(context: Context, year: int | None, lines: Iterable[str]) -> Body:
    """The sub-activities of canonical account codes as `projectID`, their names in SIRUP's masters as `project`."""
    activities = sorted({mak.sub_activity(line) for line in lines})
    names = {name for activity in activities if (name := context.sub_activity(year, activity))}
    return {"project": "; ".join(sorted(names)), "projectID": "+".join(activities)}


def accounts(lines: Iterable[str]) -> list[str]:
    """The accounts of account codes, sorted."""
    return sorted({found for line in lines if (found := mak.account(line))})


def account_items(lines: Iterable[str]) -> list[Body]:
    """What is bought, one item for each account that pays."""
    return [{"id": f"rekening-{account}", "classification": _classified(account)} for account in accounts(lines)]


def account_category(lines: Iterable[str]) -> str | None:
    """The procurement category that all accounts share."""
    table = codes.table("lpse")
    found = {table.get(("accountCategory", ".".join(account.split(".")[:depth])))
             for account in accounts(lines) for depth in (3, 4)} - {None}  # fmt: skip
    return found.pop() if len(found) == 1 else None


def classifications(lines: Iterable[str]) -> Body:
    """The fields of an item that classify it by account: by one, or by several beside each other."""
    found = [_classified(account) for account in accounts(lines)]
    return {"classification": found[0]} if len(found) == 1 else {"additionalClassifications": found}


def product_item(product: str, lines: Iterable[str], quantity: float | int | None) -> Body:
    """A product of an e-catalogue order."""
    by_account = classifications(lines)
    further = [*by_account.get("additionalClassifications", ()), {"scheme": PRODUCT_SCHEME, "id": product}]
    return {"id": product, "quantity": quantity, **by_account, "additionalClassifications": further}


def _classified(account: str) -> Body:
    return {"scheme": ACCOUNT_SCHEME, "id": account}
