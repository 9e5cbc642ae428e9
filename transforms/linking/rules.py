"""The linking rules: what each joins, and the weights that they share. Beneath the modules that compare.

A link's confidence is the probability that it is right, worked out as record linkage does (Fellegi and Sunter): every
piece of evidence on which two subjects agree or differ multiplies the odds by how much more often true pairs look like
that than chance pairs do. In logarithms, for a subject and each of its candidates:

    weight = -ln(targets that there are) + ln(odds that the right one is among them) + the sum of the evidence

What few have (an amount to the rupiah, a number, a supplier) weighs ln(all / those that have it); the rest has
fixed weights, here and where it is compared. Counts enter in steps (`step`).
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

# From a plan that vanished to one that came later, of the same office and name: an operator alone decides.
REVISION = "possible-revision"

JOINED = frozenset(kind for rule in RULES.values() for kind in rule.sources)


def is_purchase(kind: str) -> bool:
    """Whether a subject of this kind is a purchase, of whatever source: no plan, no office, and joined by no rule."""
    return kind not in JOINED and kind not in (OFFICE, *RUP_KINDS)


def step(count: int) -> int:
    """A count as scores take it: the greatest of 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, ... that it reaches.

    So that most changes of a count change no score.

    >>> [step(count) for count in (0, 3, 5, 7, 100)]
    [0, 3, 4, 6, 96]
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
TITLE = ((95, 3.0), (85, 2.0), (70, 0.7), (50, -0.5))
OTHER_TITLE = -2.0
OTHER_OFFICE = -5.0
OTHER_LINE = -1.5
SAME_PARENT = 0.5
# Below this weight a candidate has no chance, whatever the texts are.
HOPELESS = -8.0
# How much the odds fall where another subject fits a target better: few targets have two rightly.
CONTESTED = 20.0
