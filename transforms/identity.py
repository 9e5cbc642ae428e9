"""One OCID per contracting process, for ever: who opens a process, who joins one, who is only related to one.

An OCID is a pure function of a source's own code and the code's kind. The crosswalk (kind, code) -> ocid is written
once per key; everything here only adds to what is `Known`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Code = tuple[str, str]  # (kind, code), for example ("rup", "90000001")

RUP_KINDS = ("rup", "swk")
# Of a RUP's attempts only the first joins its process; of these kinds every one that names a single RUP does.
ATTEMPT_KINDS = ("tender", "nontender")

PLANNING = "planning"
PARENT = "parent"
PRIOR = "prior"
UNSUCCESSFUL = "unsuccessfulProcess"
REPLACEMENT = "replacementProcess"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a RUP row says of its identity: the RUP whose contract it pays on, the self-managed work it is part of."""

    rup: Code
    first_year: str | None = None
    inside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Naming:
    """What an attempt, order or recorded purchase says of the RUPs it fulfils.

    `rank` orders the services that may name them (lower is better), `created` is its tgl_buat_paket, `package` its
    kd_pkt_dce, `version` its versi_*, `failed` whether it came to nothing.
    """

    subject: Code
    rups: tuple[Code, ...]
    rank: int
    created: str | None = None
    package: str | None = None
    version: int = 1
    failed: bool = False


@dataclass(slots=True)
class Known:
    """The part of the crosswalk that a batch may touch."""

    ocids: dict[Code, str] = field(default_factory=dict)
    # Newer RUP code -> the code it revises (kaji ulang).
    older: dict[Code, Code] = field(default_factory=dict)
    # Processes that already have their first attempt.
    attempted: set[str] = field(default_factory=set)
    namings: dict[Code, Naming] = field(default_factory=dict)


@dataclass(slots=True)
class Placement:
    """What a batch adds: new crosswalk entries, the RUPs and relations of the processes it touched."""

    ocids: dict[Code, str] = field(default_factory=dict)
    rups: dict[str, set[Code]] = field(default_factory=lambda: defaultdict(set))
    relations: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))


def silent(service: str, record: object) -> Iterator[Any]:
    """The plans, revisions or namings of a source whose rows say nothing of them."""
    return iter(())


def canonical(rup: Code, older: Mapping[Code, Code]) -> Code:
    """The oldest code of a chain of revisions; in a cycle the lowest code of it."""
    seen = [rup]
    while (before := older.get(seen[-1])) is not None:
        if before in seen:
            return min(seen[seen.index(before) :])
        seen.append(before)
    return seen[-1]


def opens(prefix: str, subject: Code) -> str:
    """The OCID of the process that a code opens."""
    return f"{prefix}-{subject[0]}-{subject[1]}"


def place(
    prefix: str,
    plans: Iterable[Plan],
    revisions: Iterable[tuple[Code, Code]],
    namings: Iterable[Naming],
    known: Known,
) -> Placement:
    """Give every code of a batch its OCID; `revisions` are (older, newer) RUP codes, already part of `known.older`.

    The result does not depend on the order of the rows in the batch.
    """
    placement = Placement()

    def ocid_of(code: Code) -> str | None:
        return placement.ocids.get(code) or known.ocids.get(code)

    def open_rup(code: Code) -> str:
        """The process of a RUP, opened at first sight by the oldest code of its chain that has one."""
        oldest = canonical(code, known.older)
        own = ocid_of(code)
        ocid = ocid_of(oldest) or own or opens(prefix, oldest)
        for member in (oldest, code):
            if ocid_of(member) is None:
                placement.ocids[member] = ocid
        placement.rups[ocid].add(code)
        if own is not None and own != ocid:
            # Both had been minted before the revision was known: both stay, and new rows go to the older.
            placement.rups[own].add(code)
            placement.relations[ocid].add((REPLACEMENT, own))
            placement.relations[own].add((REPLACEMENT, ocid))
        return ocid

    for old, new in sorted(revisions):
        open_rup(new)
        open_rup(old)
    # Who pays on an earlier year's contract joins that year's process before anything opens one of its own.
    for plan in sorted(plans, key=lambda p: (p.first_year is None, p.rup, p.first_year or "", p.inside)):
        if plan.first_year and plan.first_year != plan.rup[1]:
            first = open_rup((plan.rup[0], plan.first_year))
            if ocid_of(plan.rup) is None:
                placement.ocids[plan.rup] = first
            placement.rups[first].add(plan.rup)
            own = ocid_of(plan.rup)
            if own != first and own is not None:
                placement.rups[own].add(plan.rup)
                placement.relations[own].add((PRIOR, first))
            ocid = first
        else:
            ocid = open_rup(plan.rup)
        for code in plan.inside:
            placement.relations[ocid].add((PARENT, open_rup(("swk", code))))

    by_ocid: dict[str, list[Naming]] = defaultdict(list)
    touched = list(namings)
    for naming in touched:
        targets = sorted({open_rup(rup) for rup in naming.rups})
        if ocid_of(naming.subject) is not None:
            continue
        if len(targets) == 1:
            by_ocid[targets[0]].append(naming)
        else:
            placement.ocids[naming.subject] = opens(prefix, naming.subject)
    for ocid in sorted(by_ocid):
        attempts = sorted(
            (n for n in by_ocid[ocid] if n.subject[0] in ATTEMPT_KINDS),
            key=lambda n: (n.created or "9999", len(n.subject[1]), n.subject),
        )
        for position, naming in enumerate(attempts):
            joins = position == 0 and ocid not in known.attempted
            placement.ocids[naming.subject] = ocid if joins else opens(prefix, naming.subject)
        for naming in by_ocid[ocid]:
            if naming.subject[0] not in ATTEMPT_KINDS:
                placement.ocids[naming.subject] = ocid

    packages: dict[tuple[str, str], list[Naming]] = defaultdict(list)
    for naming in known.namings.values():
        if naming.package and naming.failed:
            packages[(naming.subject[0], naming.package)].append(naming)
    for naming in touched:
        own = ocid_of(naming.subject)
        assert own is not None
        for rup in naming.rups:
            target = open_rup(rup)
            placement.rups[own].add(rup)
            if target != own:
                placement.relations[own].add((PLANNING, target))
        retried = _retried(naming, packages)
        if retried and (failed_ocid := ocid_of(retried.subject)) and failed_ocid != own:
            placement.relations[own].add((UNSUCCESSFUL, failed_ocid))
    return placement


def _retried(naming: Naming, failed: Mapping[tuple[str, str], list[Naming]]) -> Naming | None:
    """The failed attempt of the same package that this one tries again: the latest before it."""
    if naming.package is None or naming.subject[0] not in ATTEMPT_KINDS:
        return None
    earlier = [n for n in failed.get((naming.subject[0], naming.package), ()) if n.version < naming.version]
    return max(earlier, key=lambda n: (n.version, n.subject), default=None)


def families(edges: Sequence[tuple[str, Code]]) -> dict[str, str]:
    """Processes that share a RUP are a family, named by its lowest OCID: (process, RUP) edges -> process -> family."""
    leader: dict[object, object] = {}

    def find(node: object) -> object:
        while leader.setdefault(node, node) != node:
            leader[node] = leader[leader[node]]
            node = leader[node]
        return node

    for ocid, rup in edges:
        leader[find(ocid)] = find(rup)
    names: dict[object, str] = {}
    for ocid, _ in edges:
        root = find(ocid)
        names[root] = min(names.get(root, ocid), ocid)
    return {ocid: names[find(ocid)] for ocid, _ in edges}
