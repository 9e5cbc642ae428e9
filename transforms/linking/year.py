"""The links of one fiscal year, and what of them has to be worked out again when some of its subjects changed.

Links follow from the evidence of a year's subjects, the operators' decisions and the revisions of RUP codes. What is
compared of each subject (`Facts`) is kept, with the keys under which it is found; so that of a changed subject only
those are looked at again that share a block with it, name or are named by it, or have a value whose count went over a
step. The result is that of linking the whole year anew, which is the same function on a year of which nothing is kept.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import orjson
from pydantic import TypeAdapter
from rapidfuzz.distance import OSA

from transforms.evidence import Evidence, Link
from transforms.identity import RUP_KINDS, Code, canonical
from transforms.linking import contracts, plans, proposals
from transforms.linking.contracts import ContractFeatures
from transforms.linking.offices import OfficeReference, Offices, office_reference, offices
from transforms.linking.places import Gazetteer, may_mention, mentions, place_name
from transforms.linking.plans import LineFeatures
from transforms.linking.proposals import ProposalFeatures
from transforms.linking.rules import BLOCK, JOINED, RULES, Decisions, Key, Systems, is_purchase, step
from transforms.linking.scoring import Rarity, Weighed, chosen, each, less_contested, of_one, undecided

CONTRACT_RULES = ("contract-payment", "contract-report")
PROPOSAL_RULES = ("proposal-package",)
LINE_RULES = ("budget-package", "document-package")
# More names of places than this that came or went are not searched for one by one.
_MANY_NAMES = 100
_MOST_FAILED = 10  # subjects of a year that can't be compared
# Kinds of keys, and which kind of subject holds them.
_NAMES = "names"  # purchases, jobs, documents: a RUP code as they write it
_PLAN_MAK, _LINE_MAK = "plan mak", "line mak"
_VILLAGE, _DISTRICT = "proposed village", "proposed district"


def _kinds(rules: Iterable[str]) -> frozenset[str]:
    return frozenset(kind for rule in rules for kind in RULES[rule].sources)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """How the subjects of some rules are compared: by blocks, with the rarity of values counted among targets."""

    field: str  # of Facts
    rules: tuple[str, ...]
    module: ModuleType
    sources: frozenset[str]  # kinds
    is_target: Callable[[str], bool]

    def wide(self, features: Any, *, source: bool) -> set[Key]:
        """The keys of the widest blocks that a subject is in or looks in."""
        chains = self.module.lookups(features) if source else self.module.blocks(features)
        return {key for chain in chains for key in chain[0]}

    def key(self, key: Key, *, source: bool) -> str:
        return f"{self.field}{'<' if source else '>'}{'|'.join(map(str, key))}"


_CONTRACTS = _Comparison("contract", CONTRACT_RULES, contracts, _kinds(CONTRACT_RULES), is_purchase)
_PROPOSALS = _Comparison("proposal", PROPOSAL_RULES, proposals, _kinds(PROPOSAL_RULES), RUP_KINDS.__contains__)
_COMPARISONS = (_CONTRACTS, _PROPOSALS)
_LINE_KINDS = _kinds(LINE_RULES)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is kept of one subject: how it names its office, the RUPs that it names, and what is compared of it."""

    office: OfficeReference
    names: tuple[Code, ...] = ()
    line: LineFeatures | None = None
    contract: ContractFeatures | None = None
    proposal: ProposalFeatures | None = None
    # Texts that may name places, as they are searched.
    mentions: str = ""


_FACTS = TypeAdapter(Facts)


def to_text(facts: Facts) -> str:
    """JSON text of facts, without `mentions`; equal for equal facts."""
    return orjson.dumps(replace(facts, mentions=""), default=sorted, option=orjson.OPT_SORT_KEYS).decode()


def from_text(text: str, mentions: str = "") -> Facts:
    """The inverse of `to_text`."""
    return replace(_FACTS.validate_json(text), mentions=mentions)


def keys_of(facts: Facts) -> set[str]:
    """The keys under which a subject is found."""
    kind = facts.office[0]
    found = {f"{_NAMES} {rup}" for rup in facts.names}
    if facts.line:
        found |= {f"{_LINE_MAK if kind in _LINE_KINDS else _PLAN_MAK} {line}" for line in facts.line.maks}
    for comparison in _COMPARISONS:
        features = getattr(facts, comparison.field)
        if features is None:
            continue
        source = kind in comparison.sources
        keys = comparison.wide(features, source=source)
        if not source:
            keys |= comparison.module.counts(features)
        elif comparison is _PROPOSALS:
            keys |= proposals.own_counts(features)
            found |= {f"{_VILLAGE} {name}" for name in features.villages}
            found |= {f"{_DISTRICT} {name}" for name in features.districts}
        found |= {comparison.key(key, source=source) for key in keys}
    return found


class Kept:
    """What is kept of a year between two linkings: here nothing."""

    office_counts: Mapping[OfficeReference, int] = {}  # how many subjects name an office so
    resolved: Mapping[OfficeReference, str | None] = {}  # and which office that was taken to be

    def facts(self, codes: set[Code]) -> dict[Code, Facts]:
        """The facts of those of these subjects that the year has."""
        return {}

    def subjects_by_key(self, keys: set[str]) -> Mapping[str, set[Code]]:
        """The subjects that hold each of these keys."""
        return {}

    def counts(self, keys: set[str]) -> Mapping[str, int]:
        """How many subjects hold each of these keys."""
        return {}

    def values(self, kind: str) -> Mapping[str, int]:
        """The keys that begin so, without their beginning, and how many subjects hold each."""
        return {}

    def mentioning(self, parts: list[str]) -> set[Code]:
        """The subjects whose `mentions` hold one of these texts."""
        return set()

    def pairs(self, rule: str, sources: set[Code]) -> Weighed:
        """The weighed pairs of these sources."""
        return {}

    def rivals(self, rule: str, targets: set[Code]) -> set[Code]:
        """The sources that have a weighed pair with one of these targets."""
        return set()


class Revisions:
    """Which RUP codes are one plan: `older` is the code that each revised one revises."""

    def __init__(self, older: Mapping[Code, Code]) -> None:
        self.older = older
        self.newer: dict[Code, list[Code]] = defaultdict(list)
        for code, before in older.items():
            self.newer[before].append(code)

    def first(self, rup: Code) -> Code:
        """The code that a chain of revisions began with."""
        return canonical(rup, self.older) if rup in self.older else rup

    def chain(self, rup: Code) -> set[Code]:
        """All codes that began with the same one."""
        found, ahead = set(), [self.first(rup)]
        while ahead:
            code = ahead.pop()
            if code not in found:
                found.add(code)
                ahead += self.newer.get(code, ())
        return found


@dataclass(slots=True)
class Outcome:
    """What came of linking: `links` are all that there are of `sources` (also of those that are gone); the rest is to
    be kept."""

    links: list[Link]
    sources: set[Code]
    offices: list[Link] | None  # None where they are as before
    facts: dict[Code, Facts | None]  # of subjects that changed; None for one that is gone
    pairs: dict[str, Weighed]  # by rule and source, those of sources that were scored
    keys: dict[Code, tuple[set[str], set[str]]]  # of subjects that changed: keys lost, keys gained
    office_counts: dict[OfficeReference, int]
    resolved: dict[OfficeReference, str | None]
    failed: dict[Code, str]  # subjects that can't be compared, with the type of the error


EvidenceOf = Callable[[set[Code]], dict[Code, Evidence]]


def relink(
    kept: Kept, subjects: set[Code], evidence_of: EvidenceOf, systems: Systems, decided: Decisions, revisions: Revisions
) -> Outcome | None:
    """Link those again that may be linked otherwise since the evidence, revisions or decisions of `subjects` changed.

    `evidence_of` gives the united evidence of subjects, those of the year alone. None where nearly all would have to be
    looked at: the year must be linked anew, from `Kept()` and with all its subjects given.
    """
    return _Linking(kept, subjects, evidence_of, systems, decided, revisions).outcome()


@dataclass(slots=True)
class _Linking:
    """One run of `relink`: the kept year, and above it what changed."""

    kept: Kept
    subjects: set[Code]
    evidence_of: EvidenceOf
    systems: Systems
    decided: Decisions
    revisions: Revisions
    now: dict[Code, Facts | None] = field(default_factory=dict)  # facts that may differ from those kept
    before: dict[Code, Facts] = field(default_factory=dict)  # facts that were read of those kept
    read: set[Code] = field(default_factory=set)
    holds: dict[str, dict[Code, bool]] = field(default_factory=lambda: defaultdict(dict))  # where it changed
    evidence: dict[Code, Evidence | None] = field(default_factory=dict)
    offices: Offices | None = None
    were: dict[Code, set[str]] = field(default_factory=dict)  # the keys that subjects held
    are: dict[Code, set[str]] = field(default_factory=dict)  # and hold now
    failed: dict[Code, str] = field(default_factory=dict)

    @property
    def anew(self) -> bool:
        return not self.kept.office_counts

    def outcome(self) -> Outcome | None:
        self._read(self.subjects)
        self._load(self.subjects)
        office_counts = self._office_counts()
        if not self.anew and self._sizes(office_counts) != self._sizes(self.kept.office_counts):
            return None
        resolved = dict(self.kept.resolved)
        office_links: list[Link] | None = None
        if office_counts != self.kept.office_counts or any(code[0] in self.systems.values() for code in self.subjects):
            self.offices, office_links = offices(office_counts, self.systems, self.decided)
            if any(self.offices.of(name) != at for name, at in resolved.items()):
                return None
        active = {c.field for c in _COMPARISONS if any(name[0] in c.sources for name in office_counts)}
        again = set(self.subjects)
        gazetteer = Gazetteer(frozenset(), frozenset())
        if _PROPOSALS.field in active:
            names, moved = self._gazetteer()
            if not self.anew and len(moved) > _MANY_NAMES:
                return None
            gazetteer = Gazetteer(frozenset(names[_VILLAGE]), frozenset(names[_DISTRICT]))
            parts = sorted({part for name in moved for part in may_mention(name)})
            again |= self.kept.mentioning(parts) if parts else set()
        referring = self._concerned()
        again |= referring
        self._compare(again, gazetteer, active, office_counts, resolved)
        if _PROPOSALS.field in active:
            self._correct_slips()
        changed = self._changed()
        links: list[Link] = []
        pairs: dict[str, Weighed] = {}
        sources = {code for code in self.subjects | changed if code[0] in JOINED}
        sources |= self._lines_near(changed) | {code for code in referring if code[0] in _LINE_KINDS}
        links += self._attached({code for code in sources if code[0] in _LINE_KINDS})
        for comparison in _COMPARISONS:
            if comparison.field not in active:
                continue
            near = self._near(comparison, changed)
            to_weigh = {code for code in sources | near if code[0] in comparison.sources}
            weighed = self._weighed(comparison, to_weigh, office_counts)
            for rule in comparison.rules:
                of_rule = {source: found for source, found in weighed.items() if source[0] in RULES[rule].sources}
                if comparison is _PROPOSALS:
                    links += chosen(rule, each(of_rule), self.decided)
                    sources |= of_rule.keys()
                    continue
                scored = {code for code in to_weigh if code[0] in RULES[rule].sources}
                pairs[rule] = {source: of_rule.get(source, {}) for source in scored}
                competing, likely = self._competition(rule, pairs[rule])
                links += chosen(rule, likely, self.decided)
                sources |= competing
        return Outcome(
            links,
            sources,
            office_links,
            {code: self.now[code] for code in changed},
            pairs,
            {code: (self._old_keys(code) - self.are[code], self.are[code] - self._old_keys(code)) for code in changed},
            {name: count for name, count in office_counts.items() if count},
            resolved,
            self.failed,
        )

    # --- reading -----------------------------------------------------------------------------------------------------

    def _read(self, codes: set[Code]) -> None:
        missing = codes - self.read
        if missing:
            self.before.update(self.kept.facts(missing))
            self.read |= missing

    def _load(self, codes: set[Code]) -> None:
        if missing := codes - self.evidence.keys():
            found = self.evidence_of(missing)
            self.evidence.update({code: found.get(code) for code in missing})

    def _facts(self, codes: set[Code]) -> dict[Code, Facts]:
        """Today's facts of those of these subjects that there are."""
        self._read(codes - self.now.keys())
        found = {code: self.now[code] if code in self.now else self.before.get(code) for code in codes}
        return {code: facts for code, facts in found.items() if facts is not None}

    def _subjects_by_key(self, keys: set[str]) -> dict[str, set[Code]]:
        found = {key: set(codes) for key, codes in self.kept.subjects_by_key(keys).items()}
        for key in keys & self.holds.keys():
            codes = found.setdefault(key, set())
            for code, holds in self.holds[key].items():
                (codes.add if holds else codes.discard)(code)
        return found

    def _subjects_with(self, keys: set[str]) -> set[Code]:
        return set().union(*self._subjects_by_key(keys).values())

    # --- what changed ------------------------------------------------------------------------------------------------

    def _office_counts(self) -> dict[OfficeReference, int]:
        counts = Counter(self.kept.office_counts)
        for code in self.subjects:
            if code in self.before:
                counts[self.before[code].office] -= 1
            if (evidence := self.evidence[code]) is not None:
                counts[office_reference(evidence)] += 1
        return {name: count for name, count in counts.items() if count > 0}

    def _sizes(self, office_counts: Mapping[OfficeReference, int]) -> list[tuple[bool, int]]:
        """Of each comparison whether there is anything to link, and the number of its targets as scores take it."""
        return [
            (
                any(name[0] in comparison.sources for name in office_counts),
                step(sum(count for name, count in office_counts.items() if comparison.is_target(name[0]))),
            )
            for comparison in _COMPARISONS
        ]

    def _gazetteer(self) -> tuple[dict[str, Counter[str]], set[str]]:
        """The villages and districts that proposals name, by kind of key, and those that came or went."""
        found, moved = {}, set()
        for kind, field_name in ((_VILLAGE, "villages"), (_DISTRICT, "districts")):
            before = self.kept.values(f"{kind} ")
            counts = Counter(before)
            for code in self.subjects:
                if code[0] not in _PROPOSALS.sources:
                    continue
                if code in self.before and (features := self.before[code].proposal):
                    counts.subtract(getattr(features, field_name))
                if (evidence := self.evidence[code]) is not None:
                    counts.update(set(filter(None, map(place_name, getattr(evidence, field_name)))))
            found[kind] = +counts
            moved |= before.keys() ^ found[kind].keys()
        return found, moved

    def _concerned(self) -> set[Code]:
        """Plans that changed or that are named by what changed, and all that names these."""
        rups = {code for code in self.subjects if code[0] in RUP_KINDS}
        for code in self.subjects:
            were = self.before[code].names if code in self.before else ()
            are = _names(self.evidence[code])
            rups |= {*were, *are}
            for rup in {*were, *are}:
                self.holds[f"{_NAMES} {rup}"][code] = rup in are
        concerned = {code for rup in rups for code in self.revisions.chain(rup)}
        return concerned | self._subjects_with({f"{_NAMES} {rup}" for rup in concerned})

    def _compare(
        self,
        again: set[Code],
        gazetteer: Gazetteer,
        active: set[str],
        office_counts: dict[OfficeReference, int],
        resolved: dict[OfficeReference, str | None],
    ) -> None:
        """Work out the facts of subjects anew; whom that fails for counts for no office."""
        self._load(again)
        first = self.revisions.first
        planned = {code for code in again if code[0] in RUP_KINDS}
        if _CONTRACTS.field in active:
            planned |= {first(rup) for code in again for rup in _names(self.evidence[code])}
        self._load(planned)
        keys = {plan: {f"{_NAMES} {rup}" for rup in self.revisions.chain(plan)} for plan in planned}
        subjects_by_key = self._subjects_by_key(set().union(*keys.values()))
        referring = {plan: set().union(*(subjects_by_key.get(key, ()) for key in keys[plan])) for plan in planned}
        self._load(set().union(*referring.values()))
        whole: dict[Code, Evidence] = {}
        for plan in planned:
            if (evidence := self.evidence[plan]) is not None:
                purchases = (self.evidence[code] for code in sorted(referring[plan]) if is_purchase(code[0]))
                whole[plan] = plans.enriched(evidence, (each for each in purchases if each and len(each.rups) == 1))

        def office(evidence: Evidence) -> str | None:
            name = office_reference(evidence)
            if name not in resolved:
                if self.offices is None:
                    self.offices, _ = offices(office_counts, self.systems, self.decided)
                resolved[name] = self.offices.of(name)
            return resolved[name]

        def facts_of(code: Code) -> Facts | None:
            evidence = whole.get(code) or self.evidence[code]
            raw = self.evidence[code]
            if evidence is None or raw is None:
                return None
            kind, names, at = code[0], _names(raw), office(evidence)
            line, contract, proposal, texts = None, None, None, ""
            if kind in _LINE_KINDS or kind in RUP_KINDS:
                line = LineFeatures(at, evidence.maks, names)
            if _CONTRACTS.field in active and (kind in _CONTRACTS.sources or is_purchase(kind)):
                rups = sorted({first(rup) for rup in names})
                maks = evidence.maks or [mak for rup in rups if rup in whole for mak in whole[rup].maks]
                contract = contracts.features(evidence, at, rups, maks)
            if _PROPOSALS.field in active and (kind in _PROPOSALS.sources or kind in RUP_KINDS):
                own = kind in _PROPOSALS.sources
                proposal = proposals.features(evidence, at, gazetteer, own=own)
                sites = () if own else (*evidence.villages, *evidence.districts)
                texts = mentions((*evidence.titles[:2], *sites))
            return Facts(office_reference(raw), names, line, contract, proposal, texts)

        for code in again:
            try:
                facts = facts_of(code)
            except Exception as error:
                # One subject that can't be compared must not stop the others. Of many the cause is none of theirs.
                if len(self.failed) == _MOST_FAILED:
                    raise
                facts, self.failed[code] = None, type(error).__name__
                if (raw := self.evidence[code]) is not None:
                    office_counts[office_reference(raw)] -= 1
            self._set(code, facts)

    def _set(self, code: Code, facts: Facts | None) -> None:
        self._read({code})
        if code not in self.now and facts == self.before.get(code):
            return
        were = self.are[code] if code in self.are else self._old_keys(code)
        self.are[code] = keys_of(facts) if facts else set()
        for key in were ^ self.are[code]:
            self.holds[key][code] = key in self.are[code]
        self.now[code] = facts

    def _correct_slips(self) -> None:
        """Work out anew which villages of proposals are slips of those that plans name."""
        planned = self._values(_PROPOSALS.key(("village", ""), source=False))
        proposed = self._values(f"{_VILLAGE} ")
        before = self.kept.values(_PROPOSALS.key(("village", ""), source=False))
        once = self.kept.values(f"{_VILLAGE} ")
        moved = before.keys() ^ planned.keys()
        names = {name for name in proposed if (once.get(name) == 1) != (proposed[name] == 1)}
        names |= {name for name in proposed if name in moved or any(OSA.distance(name, each) <= 1 for each in moved)}
        codes = {code for code in self.now if code[0] in _PROPOSALS.sources}
        codes |= self._subjects_with({f"{_VILLAGE} {name}" for name in names})
        known = frozenset(planned)
        for code, facts in self._facts(codes).items():
            if facts.proposal is not None:
                slips = proposals.slips(sorted(facts.proposal.villages), proposed, known)
                if slips != facts.proposal.slips:
                    self._set(code, replace(facts, proposal=replace(facts.proposal, slips=slips)))

    def _values(self, kind: str) -> dict[str, int]:
        """Values of keys of a kind, and how many hold each today."""
        counts = Counter(self.kept.values(kind))
        for key, codes in self.holds.items():
            if key.startswith(kind):
                for code, holds in codes.items():
                    counts[key.removeprefix(kind)] += holds - (key in self._old_keys(code))
        return +counts

    def _old_keys(self, code: Code) -> set[str]:
        if code not in self.were:
            before = self.before.get(code)
            self.were[code] = keys_of(before) if before else set()
        return self.were[code]

    def _counts(self, keys: set[str]) -> dict[str, int]:
        """How many subjects hold each of these keys today."""
        counts = dict(self.kept.counts(keys))
        for key in keys & self.holds.keys():
            gained = sum(holds - (key in self._old_keys(code)) for code, holds in self.holds[key].items())
            counts[key] = counts.get(key, 0) + gained
        return counts

    def _changed(self) -> set[Code]:
        return {code for code, facts in self.now.items() if facts != self.before.get(code)}

    # --- who is linked again -----------------------------------------------------------------------------------------

    def _near(self, comparison: _Comparison, changed: set[Code]) -> set[Code]:
        """The sources that share a block with a target that changed, or have to do with a value whose count went over
        a step."""
        if self.anew:
            return {code for code in self.now if code[0] in comparison.sources}
        module, valued = comparison.module, set[Key]()
        touched: list[Any] = []
        for code in changed:
            if not comparison.is_target(code[0]):
                continue
            both = [
                features
                for facts in (self.before.get(code), self.now[code])
                if facts and (features := getattr(facts, comparison.field))
            ]
            touched += both
            counted = [module.counts(features) for features in both]
            valued |= counted[0] ^ counted[1] if len(counted) == 2 else set().union(*counted)
        names = {comparison.key(value, source=False): value for value in valued}
        were, are = self.kept.counts(names.keys() | set()), self._counts(names.keys() | set())
        stepped = {key for key in names if step(were.get(key, 0)) != step(are.get(key, 0))}
        touched += [getattr(facts, comparison.field) for facts in self._facts(self._subjects_with(stepped)).values()]
        found = self._subjects_with({comparison.key(names[key], source=True) for key in stepped})
        return found | self._sharing(comparison, touched)

    def _sharing(self, comparison: _Comparison, targets: list[Any]) -> set[Code]:
        """The sources that share a block with one of these targets. A wide block that holds too many, before and now,
        is not looked into: there a narrower one must be shared."""
        chains = [comparison.module.blocks(features) for features in targets]
        wide = {key for each in chains for chain in each for key in chain[0]}
        names = {comparison.key(key, source=False): key for key in wide}
        were, are = self.kept.counts(set(names)), self._counts(set(names))
        large = {names[name] for name in names if min(were.get(name, 0), are.get(name, 0)) > BLOCK}
        found = self._subjects_with({comparison.key(key, source=True) for key in wide - large})
        narrow: dict[int, set[Key]] = defaultdict(set)
        for each_target in chains:
            for place, chain in enumerate(each_target):
                narrow[place].update(key for keys in chain[1:] for key in keys)
        others = self._subjects_with({comparison.key(key, source=True) for key in large}) - found
        for code, features in self._features(comparison, others).items():
            lookups = enumerate(comparison.module.lookups(features))
            if any(key in narrow[place] for place, chain in lookups for keys in chain[1:] for key in keys):
                found.add(code)
        return found

    def _weighed(
        self, comparison: _Comparison, to_weigh: set[Code], office_counts: Mapping[OfficeReference, int]
    ) -> Weighed:
        """What sources weigh beside their candidates, from their facts of today."""
        module = comparison.module
        sources = self._features(comparison, to_weigh)
        if not self.anew:
            wide = {key for features in sources.values() for key in comparison.wide(features, source=True)}
            codes = self._subjects_with({comparison.key(key, source=False) for key in wide})
            targets = self._features(comparison, codes)
            values = set[Key]().union(*map(module.counts, targets.values()))
            if comparison is _PROPOSALS:
                values = values.union(*map(proposals.own_counts, sources.values()))
            names = {value: comparison.key(value, source=False) for value in values}
            held = self._counts(set(names.values()))
            counts: Mapping[Key, int] = {value: held.get(name, 0) for value, name in names.items()}
        else:
            targets = self._features(comparison, {code for code in self.now if comparison.is_target(code[0])})
            counts = Counter(value for features in targets.values() for value in module.counts(features))
        count = sum(count for name, count in office_counts.items() if comparison.is_target(name[0]))
        found: Weighed = module.weighed(sources, targets, Rarity(count, counts))
        return found

    def _features(self, comparison: _Comparison, codes: set[Code]) -> dict[Code, Any]:
        found = self._facts(codes)
        return {
            code: features for code in sorted(found) if (features := getattr(found[code], comparison.field)) is not None
        }

    def _lines_near(self, changed: set[Code]) -> set[Code]:
        """The budget lines and documents that name an account code of a plan that changed."""
        maks: set[str] = set()
        for code in changed:
            if code[0] in RUP_KINDS:
                for facts in (self.before.get(code), self.now[code]):
                    maks.update(facts.line.maks if facts and facts.line else ())
        return self._subjects_with({f"{_LINE_MAK} {line}" for line in maks})

    def _attached(self, codes: set[Code]) -> list[Link]:
        """The links of budget lines and documents."""
        sources = {code: facts.line for code, facts in self._facts(codes).items() if facts.line}
        rups = {rup: self.revisions.chain(rup) for line in sources.values() for rup in line.rups}
        named = self._facts({code for chain in rups.values() for code in chain})
        by_code = {rup: [rup] if rup in named else sorted(chain & named.keys()) for rup, chain in rups.items()}
        carriers = self._subjects_by_key({f"{_PLAN_MAK} {mak}" for line in sources.values() for mak in line.maks})
        lines = {
            code: facts.line
            for code, facts in self._facts(set().union(*carriers.values())).items()
            if facts.line is not None
        }
        by_mak = {
            key.removeprefix(f"{_PLAN_MAK} "): [(code, lines[code]) for code in sorted(codes & lines.keys())]
            for key, codes in carriers.items()
        }
        found: list[Link] = []
        for rule in LINE_RULES:
            of_rule = {
                code: plans.attached(sources[code], by_mak, by_code)
                for code in sorted(sources)
                if code[0] in RULES[rule].sources
            }
            found += chosen(rule, of_rule, self.decided)
        return found

    def _competition(self, rule: str, fresh: Weighed) -> tuple[set[Code], Weighed]:
        """(sources whose links may be others, their probabilities), after sources have been weighed anew.

        A pair is worth less where another source fits its target better; how well follows from all pairs of that
        source.
        """
        confirmed: dict[Code, set[Code]] = defaultdict(set)
        confirming: dict[Code, set[Code]] = defaultdict(set)
        for (name, source, target), confirms in self.decided.items():
            if name == rule and confirms:
                confirmed[source].add(target)
                confirming[target].add(source)

        def targets_of(weighed: Weighed) -> set[Code]:
            return {target for source, found in weighed.items() for target in (*found, *confirmed.get(source, ()))}

        def rivals(targets: set[Code]) -> set[Code]:
            found = self.kept.rivals(rule, targets).union(*(confirming.get(target, ()) for target in targets))
            return found - weighed.keys()

        weighed = dict(fresh)
        contested = targets_of(fresh) | targets_of(self.kept.pairs(rule, fresh.keys() | set()))
        contested |= {code for code in self.subjects if _CONTRACTS.is_target(code[0])}
        near = rivals(contested)
        kept = self.kept.pairs(rule, near)
        weighed |= {source: kept.get(source, {}) for source in near}
        competing = set(weighed)
        beyond = rivals(targets_of(weighed))
        kept = self.kept.pairs(rule, beyond)
        weighed |= {source: kept.get(source, {}) for source in beyond}
        present = self._facts(set(weighed))
        weighed = {source: found for source, found in sorted(weighed.items()) if source in present}
        likely = of_one(less_contested(undecided(rule, weighed, self.decided)))
        return competing, {source: found for source, found in likely.items() if source in competing}


def _names(evidence: Evidence | None) -> tuple[Code, ...]:
    return evidence.rups if evidence else ()


def links(
    subjects: Iterable[Evidence],
    systems: Systems,
    thresholds: Mapping[str, tuple[float, float]] | None = None,
    decided: Decisions | None = None,
    older: Mapping[Code, Code] | None = None,
) -> list[Link]:
    """The links of one fiscal year whose confidence reaches their rule's pending threshold, and the confirmed ones.

    `subjects` are united, one a subject, of all kinds mixed; `thresholds` are (accept, pending) by rule, those of
    `RULES` by default. `decided` holds the decisions on (rule, source, target): True (confirmed) stands with
    confidence 1 whatever the evidence, and alone where a source has one target; False (rejected) never comes back, and
    leaves its source to the others. `older` leads from a revised RUP code to the one that it revises.
    Sorted by rule, source and target; `rup-package` is not among them (`packages`).
    """
    by_code = {evidence.subject: evidence for evidence in subjects}

    def evidence_of(codes: set[Code]) -> dict[Code, Evidence]:
        return {code: by_code[code] for code in codes if code in by_code}

    outcome = relink(Kept(), set(by_code), evidence_of, systems, decided or {}, Revisions(older or {}))
    return worth_keeping([*outcome.links, *(outcome.offices or ())], thresholds or {}, decided or {}) if outcome else []


def worth_keeping(
    found: Iterable[Link], thresholds: Mapping[str, tuple[float, float]], decided: Decisions
) -> list[Link]:
    """Links that reach their rule's pending threshold or are confirmed, sorted."""
    least = {rule: thresholds.get(rule, (each.accept, each.pending))[1] for rule, each in RULES.items()}
    return sorted(
        (
            link
            for link in found
            if link.confidence >= least[link.rule] or decided.get((link.rule, link.source, link.target))
        ),
        key=lambda link: (link.rule, link.source, link.target),
    )
