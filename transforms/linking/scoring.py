"""What the rules share: blocks of candidates, how rare a value is, weights and probabilities.

Candidates come from blocks (same office and supplier, same village, a part of a number ...). A block that holds too
many is narrowed by a further piece of evidence, and left out where that is not enough, so that cost grows with the rows
and not with their square. Of a rule where each subject belongs to one target, all candidates and "none of them" share
one probability: two that can't be distinguished get half each and wait for an operator, whatever the evidence for both.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from transforms.evidence import Link
from transforms.identity import Code
from transforms.linking.rules import (
    BLOCK,
    CONTESTED,
    FEWEST,
    OFFICE,
    OPERATOR,
    OTHER_OFFICE,
    OTHER_TITLE,
    SAME_PARENT,
    TITLE,
    Decisions,
    Key,
    Keys,
    step,
)

Weighed = dict[Code, dict[Code, tuple[float, str]]]  # source -> target -> (weight or probability, the evidence for it)
Chain = tuple[Keys, ...]  # the keys of one kind of block, from wide to narrow: each narrow block lies in a wide one


class Blocks:
    """Targets by block; `candidates` follows each chain of keys from wide to narrow until blocks are small enough."""

    def __init__(self, keyed: Iterable[list[Chain]]) -> None:
        self.blocks: dict[Key, list[int]] = defaultdict(list)
        for place, chains in enumerate(keyed):
            for chain in chains:
                for key in {key for keys in chain for key in keys}:
                    self.blocks[key].append(place)

    def candidates(self, chains: list[Chain]) -> list[int]:
        found: set[int] = set()
        for chain in chains:
            for position, keys in enumerate(chain):
                blocks = [self.blocks[key] for key in keys if key in self.blocks]
                small = [block for block in blocks if len(block) <= BLOCK]
                if position == len(chain) - 1 or len(small) == len(blocks):
                    found.update(*small)
                    break
        return sorted(found)


@dataclass(slots=True)
class Rarity:
    """How rare values are among targets: `count` are the targets that there are, `counts` those that have a value."""

    count: int
    counts: Mapping[Key, int]
    weights: dict[Key, float] = field(default_factory=dict)

    @property
    def known(self) -> int:
        """How many targets there are, in steps."""
        return max(step(self.count), 1)

    @property
    def total(self) -> int:
        """The same as rarity is judged."""
        return max(step(self.count), FEWEST)

    def weight(self, value: Key) -> float:
        """ln(all / those that have the value)."""
        found = self.weights.get(value)
        if found is None:
            found = self.weights[value] = math.log(self.total / max(step(self.counts.get(value, 0)), 1))
        return found


def office_weight(one: str, other: str, rarity: Rarity) -> float:
    """The weight of the offices of two subjects."""
    if one == other:
        return math.log(rarity.known / max(step(rarity.counts.get((OFFICE, other), 0)), 1))
    # A health centre under its department: the codes differ in the last part only.
    return SAME_PARENT if one.rpartition(".")[0] == other.rpartition(".")[0] else OTHER_OFFICE


def title_weight(some: Sequence[str], others: Sequence[str]) -> float:
    """The weight of titles, each as sorted words.

    >>> title_weight(["desa jalan sukorejo"], ["desa jalan pembangunan sukorejo"])
    3.0
    >>> title_weight(["desa jalan sukorejo"], ["gedung sekolah"])
    -2.0
    """
    alike = max(fuzz.token_set_ratio(one, other) for one in some for other in others)
    return next((weight for limit, weight in TITLE if alike >= limit), OTHER_TITLE)


def of_one(weighed: Weighed) -> Weighed:
    """Weights -> probabilities, where each source belongs to one target or to none of its candidates.

    >>> found = of_one({("kontrak", "1"): {("tender", "7"): (3.0, "number"), ("tender", "8"): (3.0, "number")}})
    >>> {target: round(probability, 2) for target, (probability, _) in found["kontrak", "1"].items()}
    {('tender', '7'): 0.49, ('tender', '8'): 0.49}
    """
    shared: Weighed = {}
    for source, found in weighed.items():
        highest = max((weight for weight, _ in found.values()), default=0.0)
        top = max(highest, 0.0)
        all_of = math.exp(-top) + sum(math.exp(weight - top) for weight, _ in found.values())
        shared[source] = {target: (math.exp(w - top) / all_of, by) for target, (w, by) in found.items()}
    return shared


def less_contested(weighed: Weighed) -> Weighed:
    """Weights, less where another source fits the target better: few targets have two rightly."""
    rivals: dict[Code, list[tuple[float, float, Code]]] = defaultdict(list)
    likely = of_one(weighed)
    for source, found in weighed.items():
        for target, (weight, _) in found.items():
            rivals[target].append((weight, likely[source][target][0], source))
    lessened: Weighed = {}
    for source, found in weighed.items():
        lessened[source] = {}
        for target, (weight, by) in found.items():
            better = max((p for w, p, other in rivals[target] if other != source and w > weight + 2), default=0.0)
            lessened[source][target] = (weight - math.log1p(CONTESTED * better), by)
    return lessened


def undecided(rule: str, weighed: Weighed, decided: Decisions) -> Weighed:
    """Weights without those of rejected links; of a source that has a confirmed one, that alone, beyond doubt."""
    confirmed: dict[Code, list[Code]] = defaultdict(list)
    for (name, source, target), confirms in decided.items():
        if name == rule and confirms:
            confirmed[source].append(target)
    left: Weighed = {}
    for source, found in weighed.items():
        if source in confirmed:
            left[source] = dict.fromkeys(confirmed[source], (50.0, OPERATOR))
        else:
            left[source] = {t: w for t, w in found.items() if decided.get((rule, source, t)) is not False}
    return left


def each(weighed: Weighed) -> Weighed:
    """Weights -> probabilities, where a source may belong to several targets: each by itself.

    >>> found = each({("usulan", "1"): {("rup", "7"): (3.0, "title"), ("rup", "8"): (3.0, "title")}})
    >>> {target: round(probability, 2) for target, (probability, _) in found["usulan", "1"].items()}
    {('rup', '7'): 0.95, ('rup', '8'): 0.95}
    """
    return {
        source: {target: (1 / (1 + math.exp(-weight)), by) for target, (weight, by) in found.items()}
        for source, found in weighed.items()
    }


def chosen(rule: str, likely: Weighed, decided: Decisions) -> list[Link]:
    """The links of a rule after the operators' decisions."""
    confirmed = {(source, target) for (name, source, target), confirms in decided.items() if name == rule and confirms}
    found = [Link(rule, source, target, 1.0, OPERATOR) for source, target in confirmed if source in likely]
    for source, targets in likely.items():
        for target, (probability, by) in targets.items():
            if (source, target) not in confirmed and decided.get((rule, source, target)) is not False:
                found.append(Link(rule, source, target, probability, by))
    return found
