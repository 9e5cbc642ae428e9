"""Proposals, and the plans that they became.

A proposal may rightly become several plans, so each pair has a probability of its own, lower beside a better one.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from transforms import mak
from transforms.evidence import Evidence
from transforms.identity import Code
from transforms.linking.places import Gazetteer, Places, place_name, slip_of
from transforms.linking.rules import HOPELESS, OFFICE, OTHER_LINE, PRESENT, Key
from transforms.linking.scoring import Blocks, Chain, Rarity, Weighed
from transforms.linking.text import words

# The weights of evidence (see `rules`). `OTHER_...`: both name one, and they differ; `MOST_OF_...`: an upper limit.
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

# What is done, whatever it is done to.
_DOING = {
    "pembangunan",
    "peningkatan",
    "perbaikan",
    "pengadaan",
    "pemasangan",
    "normalisasi",
    "lanjutan",
    "tahap",
    "paket",
}
# What distinguishes the stages of one work.
_STAGES = {"lanjutan", "tahap", "1", "2", "3", "4", "5"}
# What names the design or the supervision of a work.
_COMPANIONS = {"perencanaan", "pengawasan", "supervisi", "ded", "konsultan", "konsultansi", "kajian", "studi"}


@dataclass(slots=True)
class ProposalFeatures:
    """A proposal or a plan, as it is compared."""

    office: str | None
    sub_activities: frozenset[str]
    villages: frozenset[str]
    districts: frozenset[str]
    # Of a plan whose title names other villages: those that only its places of work name.
    further: frozenset[str]
    spots: dict[str, frozenset[str]]
    # Of a plan for several villages: the spots in each.
    inside: dict[str, dict[str, frozenset[str]]]
    words: frozenset[str]
    text: tuple[str, ...]
    companion: bool
    refused: bool
    amounts: tuple[float, ...]
    # Of a plan: the same for plans that nothing distinguishes.
    twins: str | None = None
    # Of a proposal: village that nobody else names -> the village that plans name and of which it is a slip.
    slips: dict[str, str] = field(default_factory=dict)


def features(e: Evidence, office: str | None, gazetteer: Gazetteer, *, own: bool) -> ProposalFeatures:
    """A proposal (`own`: it gives its places in fields of their own) or a plan, whose places stand in its texts."""
    titled = [gazetteer.places(title) for title in e.titles[:2]]
    villages = frozenset(name for each in titled for name in each.villages)
    districts = frozenset(name for each in titled for name in each.districts)
    further: frozenset[str] = frozenset()
    named = list(titled)
    if own:
        villages = frozenset(filter(None, map(place_name, e.villages)))
        districts = frozenset(filter(None, map(place_name, e.districts)))
    else:
        # The place of work is often the office's seat, or the regency as a whole: the title knows better.
        sites = [gazetteer.places(place) for place in (*e.villages, *e.districts)]
        there = frozenset(name for each in sites for name in each.villages)
        villages, further = villages or there, there - villages if villages else further
        districts |= {name for each in sites for name in each.districts}
        named += sites
    spots: dict[str, set[str]] = defaultdict(set)
    for each in named:
        for kind, names in each.spots.items():
            spots[kind] |= names
    works = [frozenset(words(" ".join(each.rest), "work")) for each in titled]
    works = [each if each - _DOING else each | {*place.marked} for each, place in zip(works, titled, strict=True)]
    return ProposalFeatures(
        office,
        frozenset(map(mak.sub_activity, e.maks)),
        villages,
        districts,
        further,
        {kind: frozenset(names) for kind, names in spots.items()},
        _inside(titled) if len(villages) > 1 and not own else {},
        frozenset().union(*works) if works else frozenset(),
        tuple(sorted({" ".join(sorted(each)) for each in works})),
        any(word in _COMPANIONS for each in works for word in each),
        e.status in ("rejected", "withdrawn"),
        tuple(map(float, e.amounts)),
        None if own or not e.titles else _digest((e.office, e.titles, e.amounts)),
    )


def _digest(value: Any) -> str:
    return hashlib.blake2b(orjson.dumps(value), digest_size=8).hexdigest()


def slips(villages: Iterable[str], proposed: Mapping[str, int], planned: frozenset[str]) -> dict[str, str]:
    """Of a proposal's villages those that may be slips of villages that plans name: no other proposal writes them so.

    `proposed` counts the proposals that name a village, `planned` are the villages that plans name.
    """
    alone = [name for name in villages if name not in planned and proposed.get(name) == 1]
    return {name: slip for name in alone if (slip := slip_of(name, planned))}


def _inside(titled: Iterable[Places]) -> dict[str, dict[str, frozenset[str]]]:
    found: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    for places in titled:
        for village, spots in places.inside.items():
            for kind in {kind for kind, _ in spots} or {""}:
                names = frozenset(name for each, name in spots if each == kind)
                found[village] |= {kind: found[village].get(kind, frozenset()) | names} if kind else {}
    return found


def blocks(proposal: ProposalFeatures) -> list[Chain]:
    """Blocks of a plan: of each chain the keys from wide to narrow."""
    office, words = proposal.office, proposal.words
    return [
        (
            [("village", name) for name in proposal.villages | proposal.further],
            [("village", name, office) for name in proposal.villages | proposal.further],
            [("village", name, office, word) for name in proposal.villages | proposal.further for word in words],
        ),
        (
            [("sub", line) for line in proposal.sub_activities],
            [("sub", line, name) for line in proposal.sub_activities for name in proposal.districts],
            [("sub", line, word) for line in proposal.sub_activities for word in words],
        ),
        (
            [("district", name, office) for name in proposal.districts],
            [("district", name, office, word) for name in proposal.districts for word in words],
        ),
        ([(OFFICE, office)], [(OFFICE, office, word) for word in words]),
        (
            [("amount", int(amount)) for amount in proposal.amounts],
            [("amount", int(amount), office) for amount in proposal.amounts],
        ),
    ]


def lookups(proposal: ProposalFeatures) -> list[Chain]:
    """The keys under which a proposal's candidates stand."""
    return blocks(
        replace(proposal, villages=proposal.villages | {*proposal.slips.values()}) if proposal.slips else proposal
    )


def counts(proposal: ProposalFeatures) -> set[Key]:
    """The values of a plan whose rarity weighs."""
    return {
        (OFFICE, proposal.office),
        *(("village", name) for name in proposal.villages | proposal.further),
        *(("district", name) for name in proposal.districts),
        *((kind, name) for kind, names in proposal.spots.items() for name in names),
        *(("sub", line) for line in proposal.sub_activities),
        *(("word", word) for word in proposal.words),
        *(("amount", int(amount)) for amount in proposal.amounts),
    }


def own_counts(proposal: ProposalFeatures) -> set[Key]:
    """The values of a proposal whose rarity weighs though the plan may not have them."""
    return {("word", word) for word in proposal.words}


def weighed(
    sources: Mapping[Code, ProposalFeatures], targets: Mapping[Code, ProposalFeatures], rarity: Rarity
) -> Weighed:
    """What each proposal weighs beside the plans of its blocks; those without a chance left out. `targets` hold all
    that share a wide block with one of the sources."""
    prior = PRESENT - math.log(rarity.total)
    codes = sorted(targets)
    near = Blocks(blocks(targets[code]) for code in codes)
    found = {
        source: {
            codes[place]: weight
            for place in near.candidates(lookups(proposal))
            if (weight := _weigh(proposal, targets[codes[place]], rarity, prior))
        }
        for source, proposal in sources.items()
    }
    return _unsure_of_twins(_rarely_more(found, targets), targets)


def _rarely_more(weighed: Weighed, plans: Mapping[Code, ProposalFeatures]) -> Weighed:
    """Weights, less for all but a source's best target as far as that is sure: few proposals end in several plans.
    The further stages of the best one go with it."""

    def name(code: Code) -> Hashable:
        plan = plans[code]
        return plan.office, plan.villages, plan.words - _STAGES

    lessened: Weighed = {}
    for source, found in weighed.items():
        best, first = max(((weight, target) for target, (weight, _) in found.items()), default=(0.0, None))
        less = FURTHER / (1 + math.exp(-best))
        lessened[source] = {
            target: (weight if first and name(target) == name(first) else weight - less, by)
            for target, (weight, by) in found.items()
        }
    return lessened


def _unsure_of_twins(weighed: Weighed, plans: Mapping[Code, ProposalFeatures]) -> Weighed:
    """Weights, too small to link by for targets that nothing distinguishes: of one office, name and amount."""
    lessened: Weighed = {}
    for source, found in weighed.items():
        likely = Counter(plans[target].twins for target, (weight, _) in found.items() if weight > UNSURE)
        twins = {name for name, count in likely.items() if name is not None and count > 1}
        lessened[source] = {
            target: (min(weight, UNSURE) if plans[target].twins in twins else weight, by)
            for target, (weight, by) in found.items()
        }
    return lessened


def _weigh(
    source: ProposalFeatures, target: ProposalFeatures, rarity: Rarity, prior: float
) -> tuple[float, str] | None:
    """(weight for a proposal having become a plan, the evidence for it); None for no chance."""
    evidence: list[tuple[str, float]] = [("village", _place_weight(source, target, rarity))]
    if source.office and target.office:
        same = source.office == target.office
        evidence.append((OFFICE, min(rarity.weight((OFFICE, target.office)), MOST_OF_AN_OFFICE) if same else MOVED))
    named = (source.villages | {*source.slips.values()}) & target.inside.keys()
    there = target.inside[min(named)] if named else target.spots
    spots = _spot_weight(source.spots, there, rarity)
    further: list[tuple[str, float]] = [("spot" if source.spots else "no spot", spots)]
    if source.sub_activities and target.sub_activities:
        shared = source.sub_activities & target.sub_activities
        weight = max(rarity.weight(("sub", line)) for line in shared) if shared else OTHER_LINE
        further.append(("sub-activity", min(weight, MOST_OF_A_LINE)))
    if source.amounts and target.amounts:
        further.append(("amount", _cost_weight(source.amounts, target.amounts, rarity)))
    companion = COMPANION if target.companion and not source.companion else 0.0
    base = companion + (REFUSED if source.refused else 0.0) + sum([weight for _, weight in further])
    if prior + base + sum([weight for _, weight in evidence]) < HOPELESS:
        return None
    work = _work_weight(source, target, rarity)
    # The same kind of works in the same village is asked for again and again: without a third piece of evidence that
    # is no proof. Nor is anything else where the works are not called alike, or the village or the spot is another one.
    strong = {name for name, weight in (*evidence, *further) if weight >= 1}
    # An amount alone is no evidence for another office, unless neither side names a spot in the village.
    third = strong & {OFFICE, "spot", "sub-activity"} or {"amount", "no spot"} <= strong
    sure = bool(third) and work >= 1 and evidence[0][1] > OTHER_DISTRICT and spots > UNLIKE_SPOTS
    evidence.append(("work", work))
    strongest = sorted((-weight, name) for name, weight in (*evidence, *further) if weight >= 1)
    # A village's works of a kind are mostly those of one office, and seldom there is but one: these three weigh less
    # together than each by itself.
    total = base + min(prior + sum([weight for _, weight in evidence]), MOST_OF_A_PLACE)
    return total if sure else min(total, UNSURE), "+".join(name for _, name in strongest)


def _place_weight(source: ProposalFeatures, target: ProposalFeatures, rarity: Rarity) -> float:
    same = source.villages & target.villages
    alike = {slip for name, slip in source.slips.items() if slip in target.villages}
    elsewhere = bool(source.districts and target.districts) and not any(
        fuzz.ratio(a, b) >= 84 for a in source.districts for b in target.districts
    )
    if same or alike:
        weight = max(rarity.weight(("village", name)) for name in same | alike)
        return weight - (0.0 if same else 1.0) + (OTHER_DISTRICT if elsewhere else 0.0)
    if source.villages & target.further:
        return 0.0
    if source.villages and target.villages:
        return OTHER_VILLAGE
    if elsewhere:
        return OTHER_DISTRICT
    shared = source.districts & target.districts
    return max((rarity.weight(("district", name)) for name in shared), default=0.0)


def _spot_weight(some: Mapping[str, frozenset[str]], others: Mapping[str, frozenset[str]], rarity: Rarity) -> float:
    """The weight of names inside a village: a road, a hamlet, a school, a number of the neighbourhood."""
    if not some and not others:
        return WHOLE_VILLAGE
    if not some or not others:
        return NO_SPOT
    common = some.keys() & others.keys()
    if not common:
        return UNLIKE_SPOTS
    weights = []
    for kind in sorted(common):
        shared = some[kind] & others[kind]
        if shared:
            weights.append(min(max(rarity.weight((kind, name)) for name in shared), MOST_OF_A_SPOT))
        elif any(OSA.distance(a, b) == 1 for a in some[kind] for b in others[kind] if a.isalpha()):
            weights.append(1.0)
        else:
            weights.append(OTHER_SPOT)
    return min(sum(weights), MOST_OF_ALL_SPOTS)


def _work_weight(source: ProposalFeatures, target: ProposalFeatures, rarity: Rarity) -> float:
    """The weight of the words that name no place: the share that is common, and how rare that is."""
    if not source.words or not target.words:
        return 0.0
    objects = source.words - _DOING, target.words - _DOING
    if all(objects) and not objects[0] & objects[1]:
        return OTHER_WORK
    shared = sum(rarity.weight(("word", word)) for word in source.words & target.words)
    least = min(sum(rarity.weight(("word", word)) for word in each) for each in (source.words, target.words))
    if max(fuzz.token_sort_ratio(one, other) for one in source.text for other in target.text) >= 90:
        share = 1.0
    else:
        share = shared / least if least else 0.0
    worth = min(max(shared, LEAST_OF_WORK), MOST_OF_WORK)
    return next((worth * factor for limit, factor in WORK if share >= limit), OTHER_WORK)


def _cost_weight(some: Iterable[float], others: Iterable[float], rarity: Rarity) -> float:
    """The weight of a proposal's amounts beside those of a plan: the two that are nearest."""
    gap, amount = min([(abs(one - other) / max(one, other), other) for one in some for other in others])
    if gap < 1e-6:
        return min(rarity.weight(("amount", int(amount))), MOST_OF_A_COST)
    return next((weight for limit, weight in COST if gap <= limit), OTHER_COST)
