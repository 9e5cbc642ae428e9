"""Purchases, and the plans that they fulfil: by kd_rup, and how well they could be joined without it."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from transforms.evidence import Evidence, Link
from transforms.identity import Code
from transforms.linking.offices import Offices, office_reference, offices
from transforms.linking.rules import OFFICE, OTHER_LINE, PRESENT, RULES, Canonical, Key
from transforms.linking.scoring import Blocks, Chain, Rarity, Weighed, chosen, of_one, office_weight, title_weight
from transforms.linking.text import words

# A purchase's own budget is that of its plan, unless one of them was revised.
OTHER_BUDGET = -2.0
# Titles spelt alike beside the same words: clerks copy them, so this distinguishes plans of one name.
SPELT = 3.5
# A purchase's price as a share of a plan's budget.
PRICE = ((0.97, 2.0), (0.85, 1.0), (0.6, -0.5))
CHEAP = -2.0
DEAR = -4.0


def packages(
    purchases: Iterable[Evidence], plans: Iterable[Evidence], canonical: Canonical = lambda code: code
) -> list[Link]:
    """Which plan each purchase fulfils (rule `rup-package`): by kd_rup, else by office, account code, name and amount.

    The crosswalk of processes knows kd_rup and nothing else; what is found without it is for an operator's eye, and
    measures how well plans and purchases could be joined were the key not there.
    """
    targets = sorted(plans, key=lambda e: e.subject)
    sources = sorted(purchases, key=lambda e: e.subject)
    known, _ = offices(Counter(map(office_reference, [*targets, *sources])), {}, {})
    by_code: dict[Code, list[Code]] = defaultdict(list)
    for plan in targets:
        by_code[canonical(plan.subject)].append(plan.subject)
    named = [e for e in sources if any(canonical(rup) in by_code for rup in e.rups)]
    found = [
        Link("rup-package", e.subject, plan, 1.0, "kd_rup")
        for e in named
        for plan in sorted({plan for rup in e.rups for plan in by_code.get(canonical(rup), ())})
    ]
    features = [_package(plan, known) for plan in targets]
    rarity = Rarity(len(features), Counter(key for target in features for key in _package_counts(target)))
    blocks = Blocks(map(_package_keys, features))
    prior = PRESENT - math.log(rarity.total)
    weighed: Weighed = {}
    for e in sources:
        if e.rups:
            continue
        source = _package(e, known)
        near = {}
        for place in blocks.candidates(_package_keys(source)):
            weight, by = _weigh_package(source, features[place], rarity)
            if prior + weight > -6:
                near[features[place].subject] = (prior + weight, by)
        weighed[source.subject] = near
    least = RULES["rup-package"].pending
    found += [link for link in chosen("rup-package", of_one(weighed), {}) if link.confidence >= least]
    return sorted(found, key=lambda link: (link.source, link.target))


@dataclass(slots=True)
class _Package:
    """A plan or a purchase, as the two are compared."""

    subject: Code
    office: str | None
    lines: frozenset[str]
    words: frozenset[str]
    titles: tuple[str, ...]
    written: frozenset[str]  # the titles as clerks spelt them
    amounts: tuple[float, ...]
    budgets: tuple[float, ...]


def _package(e: Evidence, offices: Offices) -> _Package:
    spelled = [words(title, "work") for title in e.titles]
    return _Package(
        e.subject,
        offices.of(office_reference(e)),
        frozenset(e.maks),
        frozenset(word for each in spelled for word in each),
        tuple(sorted({" ".join(each) for each in spelled})),
        frozenset(" ".join(title.split()).casefold() for title in e.titles),
        tuple(sorted(set(e.amounts))),
        tuple(sorted(set(e.budgets))),
    )


def _package_counts(package: _Package) -> set[Key]:
    return {
        (OFFICE, package.office),
        *(("line", line) for line in package.lines),
        *(("title", title) for title in package.titles),
        *(("amount", int(amount)) for amount in package.amounts),
    }


def _package_keys(package: _Package) -> list[Chain]:
    office, words = package.office, package.words
    budgets = {int(amount) for amount in package.budgets or package.amounts}
    return [
        ([("title", title) for title in package.titles], [("title", title, office) for title in package.titles]),
        (
            [("amount", int(amount)) for amount in package.amounts],
            [("amount", int(a), office) for a in package.amounts],
        ),
        (
            [("budget", amount) for amount in budgets],
            [("budget", amount, office) for amount in budgets],
            [("budget", amount, office, word) for amount in budgets for word in words],
        ),
        (
            [("line", line) for line in package.lines],
            [("line", line, word) for line in package.lines for word in words],
        ),
        (
            [(OFFICE, office)],
            [(OFFICE, office, word) for word in words],
            [(OFFICE, office, *pair) for pair in combinations(sorted(words), 2)],
        ),
    ]


def _weigh_package(source: _Package, target: _Package, rarity: Rarity) -> tuple[float, str]:
    """(weight of the evidence that a purchase fulfils a plan, the evidence for it)."""
    evidence: list[tuple[str, float]] = []
    if source.office and target.office:
        evidence.append((OFFICE, office_weight(source.office, target.office, rarity)))
    if source.lines and target.lines:
        shared = source.lines & target.lines
        evidence.append(("mak", max(map(rarity.weight, (("line", line) for line in shared))) if shared else OTHER_LINE))
    if source.titles and target.titles:
        same = {title for title in target.titles if title in source.titles}
        weight = title_weight(source.titles, target.titles)
        weight = max([weight, *(rarity.weight(("title", title)) for title in same)])
        evidence.append(("title", weight + SPELT if same and source.written & target.written else weight))
    if source.budgets and target.amounts:
        same_budget = [int(b) for a in source.budgets for b in target.amounts if abs(a - b) <= 1]
        weight = max([rarity.weight(("amount", amount)) for amount in same_budget], default=OTHER_BUDGET)
        evidence.append(("budget", weight))
    if source.amounts and target.amounts:
        evidence.append(("amount", max(_price_weight(a, b, rarity) for a in source.amounts for b in target.amounts)))
    strongest = sorted((-weight, name) for name, weight in evidence if weight >= 1)
    return sum(weight for _, weight in evidence), "+".join(name for _, name in strongest)


def _price_weight(price: float, budget: float, rarity: Rarity) -> float:
    """What a purchase costs beside what its plan allows: rarely more, mostly not much less."""
    if abs(price - budget) <= 1:
        return rarity.weight(("amount", int(budget)))
    return next((weight for share, weight in PRICE if price >= share * budget), CHEAP) if price < budget else DEAR
