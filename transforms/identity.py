"""One OCID per contracting process, for ever: who opens a process, who joins one, who is only related to one.

An OCID is a pure function of a source's own code and the code's kind. The crosswalk (kind, code) -> ocid is written
once per key; everything here only adds to what is `Known`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Code = tuple[str, str]  # (kind, code), for example ("rup", "90000001")

RUP_KINDS = ("rup", "swk")
# Of a RUP's attempts only the first joins its process; of these kinds every one that names a single RUP does.
ATTEMPT_KINDS = ("tender", "nontender")

PLANNING = "planning"
PARENT = "parent"
PRIOR = "prior"
UNSUCCESSFUL = "unsuccessfulProcess"
REPLACEMENT = "replacementProcess"

# Types of revision: one package became several, was cancelled, was taken up again; any other revises one to one.
SPLIT, CANCELLED, TAKEN_UP = "SATUKEBANYAK", "PEMBATALAN", "PENGAKTIFAN"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a RUP row holds of its identity: the RUP whose contract it pays on, the self-managed work it is part of."""

    rup: Code
    first_year: str | None = None
    inside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Revision:
    """An event of a RUP's history (kaji ulang): `type` is its jenis_revisi in capitals, `date` its local time."""

    older: Code
    newer: Code
    type: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class RupReference:
    """The RUPs that an attempt, order or recorded purchase fulfils.

    `priority` orders the services that may name them (lower is better), `created` is its tgl_buat_paket, `package` its
    kd_pkt_dce, `version` its versi_*, `failed` whether it came to nothing.
    """

    subject: Code
    rups: tuple[Code, ...]
    priority: int
    created: str | None = None
    package: str | None = None
    version: int = 1
    failed: bool = False


@dataclass(slots=True)
class Known:
    """The part of the crosswalk that a batch may touch."""

    ocids: dict[Code, str] = field(default_factory=dict)
    # Newer RUP code -> the code that it alone revises, and -> the code that was split into it and others.
    older: dict[Code, Code] = field(default_factory=dict)
    split_from: dict[Code, Code] = field(default_factory=dict)
    # Processes that already have their first attempt.
    attempted: set[str] = field(default_factory=set)
    references: dict[Code, RupReference] = field(default_factory=dict)


@dataclass(slots=True)
class Placement:
    """What follows from a batch: new crosswalk entries, and for each code of it the whole of what its rows give.

    `rups` are (OCID, RUP whose planning it carries), `relations` (OCID, relationship, related OCID).
    """

    ocids: dict[Code, str] = field(default_factory=dict)
    rups: dict[Code, set[tuple[str, Code]]] = field(default_factory=lambda: defaultdict(set))
    relations: dict[Code, set[tuple[str, str, str]]] = field(default_factory=lambda: defaultdict(set))


def chain(rup: Code, older: Mapping[Code, Code]) -> list[Code]:
    """A code and all that it revises, the oldest first; of a cycle the lowest code counts as the oldest.

    >>> chain(("rup", "3"), {("rup", "3"): ("rup", "2"), ("rup", "2"): ("rup", "1")})
    [('rup', '1'), ('rup', '2'), ('rup', '3')]
    """
    seen = [rup]
    while (before := older.get(seen[-1])) is not None:
        if before in seen:
            start = seen.index(before)
            return [*sorted(seen[start:]), *reversed(seen[:start])]
        seen.append(before)
    return seen[::-1]


def canonical(rup: Code, older: Mapping[Code, Code]) -> Code:
    """The oldest code of a chain of revisions; in a cycle the lowest code of it.

    >>> canonical(("rup", "3"), {("rup", "3"): ("rup", "2"), ("rup", "2"): ("rup", "1")})
    ('rup', '1')
    """
    return chain(rup, older)[0]


def opens(prefix: str, subject: Code) -> str:
    """The OCID of the process that a code opens."""
    return f"{prefix}-{subject[0]}-{subject[1]}"


def place(
    prefix: str, codes: Iterable[Code], plans: Iterable[Plan], references: Iterable[RupReference], known: Known
) -> Placement:
    """Give every code of a batch its OCID: RUP `codes`, those that `plans` and `references` name, and the subjects of
    the latter. The result does not depend on the order of the batch.

        >>> found = place("ocds-213czf", [], [], [RupReference(("tender", "7"), (("rup", "5"),), 0)], Known())
        >>> found.ocids
        {('rup', '5'): 'ocds-213czf-rup-5', ('tender', '7'): 'ocds-213czf-rup-5'}
    """
    placement = Placement()
    plans, references = sorted(plans, key=_plan_order), list(references)

    def ocid_of(code: Code) -> str | None:
        return placement.ocids.get(code) or known.ocids.get(code)

    def opened(code: Code) -> str:
        """The process of a RUP: that of the oldest code of its chain that has one, else opened by the oldest."""
        members = chain(code, known.older)
        own = ocid_of(code)
        ocid = next(filter(None, map(ocid_of, members)), None) or opens(prefix, members[0])
        for member in (members[0], code):
            if ocid_of(member) is None:
                placement.ocids[member] = ocid
        placement.rups[code].add((ocid, code))
        if own is not None and own != ocid:
            # Both had been minted before the revision was known: both stay, and new rows go to the older.
            placement.rups[code].add((own, code))
            placement.relations[code] |= {(ocid, REPLACEMENT, own), (own, REPLACEMENT, ocid)}
        return ocid

    def open_rup(code: Code) -> str:
        ocid = opened(code)
        if (whole := known.split_from.get(canonical(code, known.older))) is not None:
            before = opened(whole)
            if before != ocid:
                placement.relations[code].add((ocid, REPLACEMENT, before))
        return ocid

    firsts: dict[Code, Code] = {}
    for plan in plans:
        if first := _first(plan):
            firsts.setdefault(plan.rup, first)
    joining = {rup: first for rup in firsts if (first := canonical(rup, firsts)) != rup}
    named = {*codes, *joining.values(), *(plan.rup for plan in plans)}
    named |= {rup for reference in references for rup in reference.rups}
    # What has a process gives it to the older codes that it revises.
    for code in sorted(code for code in named if ocid_of(code) is not None):
        open_rup(code)
    # Who pays on an earlier year's contract joins that year's process before anything opens one of its own.
    for code in sorted(joining):
        process = open_rup(joining[code])
        if ocid_of(code) is None:
            placement.ocids[code] = process
    for code in sorted(named):
        open_rup(code)
    for plan in plans:
        ocid = open_rup(plan.rup)
        if first := _first(plan):
            ocid, own = open_rup(first), ocid_of(plan.rup)
            placement.rups[plan.rup].add((ocid, plan.rup))
            if own is not None and own != ocid:
                placement.rups[plan.rup].add((own, plan.rup))
                placement.relations[plan.rup].add((own, PRIOR, ocid))
        for inside in plan.inside:
            placement.relations[plan.rup].add((ocid, PARENT, open_rup(("swk", inside))))

    by_ocid: dict[str, list[RupReference]] = defaultdict(list)
    for reference in references:
        targets = sorted({open_rup(rup) for rup in reference.rups})
        if ocid_of(reference.subject) is not None:
            continue
        if len(targets) == 1:
            by_ocid[targets[0]].append(reference)
        else:
            placement.ocids[reference.subject] = opens(prefix, reference.subject)
    for ocid in sorted(by_ocid):
        attempts = sorted(
            (n for n in by_ocid[ocid] if n.subject[0] in ATTEMPT_KINDS),
            key=lambda n: (n.created or "9999", len(n.subject[1]), n.subject),
        )
        for position, reference in enumerate(attempts):
            joins = position == 0 and ocid not in known.attempted
            placement.ocids[reference.subject] = ocid if joins else opens(prefix, reference.subject)
        for reference in by_ocid[ocid]:
            if reference.subject[0] not in ATTEMPT_KINDS:
                placement.ocids[reference.subject] = ocid

    packages: dict[tuple[str, str], list[RupReference]] = defaultdict(list)
    for reference in known.references.values():
        if reference.package and reference.failed:
            packages[(reference.subject[0], reference.package)].append(reference)
    for reference in references:
        by, own = reference.subject, ocid_of(reference.subject)
        assert own is not None
        for rup in reference.rups:
            target = open_rup(rup)
            placement.rups[by].add((own, rup))
            if target != own:
                placement.relations[by].add((own, PLANNING, target))
        retried = _retried(reference, packages)
        if retried and (failed_ocid := ocid_of(retried.subject)) and failed_ocid != own:
            placement.relations[by].add((own, UNSUCCESSFUL, failed_ocid))
    return placement


def _plan_order(plan: Plan) -> tuple[Code, str, tuple[str, ...]]:
    return plan.rup, plan.first_year or "", plan.inside


def _first(plan: Plan) -> Code | None:
    """The RUP of an earlier year whose contract a plan pays on."""
    return (plan.rup[0], plan.first_year) if plan.first_year and plan.first_year != plan.rup[1] else None


def _retried(reference: RupReference, failed: Mapping[tuple[str, str], list[RupReference]]) -> RupReference | None:
    """The failed attempt of the same package that this one tries again: the latest before it."""
    if reference.package is None or reference.subject[0] not in ATTEMPT_KINDS:
        return None
    earlier = [n for n in failed.get((reference.subject[0], reference.package), ()) if n.version < reference.version]
    return max(earlier, key=lambda n: (n.version, n.subject), default=None)


def families(edges: Sequence[tuple[str, Code]]) -> dict[str, str]:
    """Processes that share a RUP are a family, named by its lowest OCID: (process, RUP) edges -> process -> family.

    >>> families([("ocds-213czf-tender-7", ("rup", "5")), ("ocds-213czf-rup-5", ("rup", "5"))])
    {'ocds-213czf-tender-7': 'ocds-213czf-rup-5', 'ocds-213czf-rup-5': 'ocds-213czf-rup-5'}
    """
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
