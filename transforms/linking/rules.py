"""The linking rules: what each joins, and the weights of the evidence. Beneath the modules that compare.

A link's confidence is the probability that it is right, worked out as record linkage does (Fellegi and Sunter): every
piece of evidence on which two subjects agree or differ multiplies the odds by how much more often true pairs look like
that than chance pairs do. In logarithms, for a subject and each of its candidates:

    weight = -ln(targets that there are) + ln(odds that the right one is among them) + the sum of the evidence

What few have (an amount to the rupiah, a number, a supplier) weighs ln(all / those that have it); the rest has the
fixed weights below. Counts enter in steps (`step`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from transforms.identity import RUP_KINDS, Code

OPERATOR = "operator"
OFFICE = "office"

Decisions = Mapping[tuple[str, Code, Code], bool]  # (rule, source, target) -> confirmed (True) or rejected (False)
Canonical = Callable[[Code], Code]  # a RUP code -> the code that its chain of revisions began with
Systems = Mapping[str, str]  # kind of a linked subject -> its system, which has office codes of its own
Key = tuple[Any, ...]  # what subjects have in common: what it is, and its value
Keys = list[Key]


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of link: from subjects of these kinds to targets of those.

    Empty `sources` or `targets` are purchases, of whatever source (`is_purchase`), or systems' own offices.
    `accept` is the confidence from which it links by itself, `pending` that from which an operator is asked. `truth` is
    how many targets a subject may rightly have.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    truth: str
    accept: float
    pending: float


RULES: dict[str, Rule] = {
    # A system's own office is an office of the regency: by code, else name.
    "office": Rule((), (OFFICE,), "many-to-one", 0.9, 0.3),
    # A purchase fulfils a plan: by kd_rup alone.
    "rup-package": Rule((), RUP_KINDS, "many-to-many", 1.0, 0.3),
    # A budget line pays for the plans that carry its account code.
    "budget-package": Rule(("anggaran",), RUP_KINDS, "many-to-many", 0.9, 0.3),
    # A contract that is paid is that of a purchase: by number, office, supplier, amount, date, title.
    "contract-payment": Rule(("kontrak",), (), "many-to-one", 0.95, 0.05),
    # A job that is reported on is a purchase's contract: by kd_rup, number, office, supplier, amount, date, title.
    "contract-report": Rule(("pekerjaan",), (), "many-to-one", 0.95, 0.05),
    # A proposal became a plan: by place, work, sub-activity, office, amount.
    "proposal-package": Rule(("usulan", "pokir"), RUP_KINDS, "many-to-many", 0.82, 0.05),
    # A planning document is of a plan: by kd_rup, else account code.
    "document-package": Rule(("dokumen",), RUP_KINDS, "many-to-many", 0.9, 0.3),
}

JOINED = frozenset(kind for rule in RULES.values() for kind in rule.sources)


def is_purchase(kind: str) -> bool:
    """Whether a subject of this kind is a purchase, of whatever source: no plan, no office, and joined by no rule."""
    return kind not in JOINED and kind not in (OFFICE, *RUP_KINDS)


def step(count: int) -> int:
    """A count as scores take it: the greatest of 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, ... that it reaches.

    So that most changes of a count change no score. `step(5) == 4`, `step(0) == 0`.
    """
    if count < 4:
        return count
    power = 1 << (count.bit_length() - 1)
    return power + power // 2 if count >= power + power // 2 else power


# A block of more than this many targets is narrowed or left out.
BLOCK = 30
# Below this many targets, rarity is judged as though there were as many: a small year is no proof.
FEWEST = 1000
# How often the right target is among the candidates at all: the rest never came, or came to nothing.
PRESENT = math.log(0.9 / 0.1)

# ln(m / u): m is how often the two of a true pair look like this, u how often two of different subjects do.
NUMBER = {"part": 5.0, "near": 5.0, "loose": 2.5, "other": -2.5}
SUPPLIER = {"short": 4.0, "near": 3.5, "part": 2.0, "other": -4.0}
AMOUNT = {"rounded": 5.0, "changed": 1.0, "other": -4.0}
DAYS = ((0, 2.5), (7, 1.5), (31, 0.3), (92, -1.0))
FAR = -2.5
TITLE = ((95, 3.0), (85, 2.0), (70, 0.7), (50, -0.5))
OTHER_TITLE = -2.0
OTHER_OFFICE = -5.0
SAME_PARENT = 0.5
OTHER_RUP = -3.5
OTHER_SUB_ACTIVITY = -1.5
# An attempt that came to nothing has no contract.
FAILED = -5.0

# The same of proposals and plans. `OTHER_...`: both name one and they differ; `MOST_OF_...`: rarity weighs no more.
OTHER_VILLAGE = -6.0
OTHER_DISTRICT = -4.5
OTHER_SPOT = -4.5
UNLIKE_SPOTS = -4.0  # a road here, a neighbourhood there
NO_SPOT = -1.5  # only one of the two names any
WHOLE_VILLAGE = 2.0  # neither does
# Odds that village, office and kind of work reach together: a village has several works of a kind in a year.
MOST_OF_A_PLACE = 1.75
# The most that a pair is worth of which too little is alike to link it unseen.
UNSURE = 1.5
MOST_OF_A_SPOT = 4.0
MOST_OF_ALL_SPOTS = 5.0
OTHER_LINE = -1.5
MOST_OF_A_LINE = 4.0
MOVED = -2.0  # to another office than it was proposed to
MOST_OF_AN_OFFICE = 2.0
# Of what the common words weigh, by their share of the shorter text.
WORK = ((0.75, 1.0), (0.5, 0.5), (0.3, 0.0))
LEAST_OF_WORK = 1.0
MOST_OF_WORK = 4.0
OTHER_WORK = -4.5
COST = ((0.05, 1.5), (0.15, 0.7), (0.3, 0.2))
MOST_OF_A_COST = 3.0
OTHER_COST = -0.5
REFUSED = -3.0  # a proposal that was rejected or withdrawn
# For each further plan of a proposal that has one for sure: one of ten has several.
FURTHER = PRESENT
# Design and supervision are packages of their own beside the work that was proposed.
COMPANION = -6.0
# A purchase's price as a share of a plan's budget.
PRICE = ((0.97, 2.0), (0.85, 1.0), (0.6, -0.5))
CHEAP = -2.0
DEAR = -4.0
# Below this weight a candidate has no chance, whatever the texts are.
HOPELESS = -8.0
# How much the odds fall where another subject fits a target better: few targets have two rightly.
CONTESTED = 20.0
