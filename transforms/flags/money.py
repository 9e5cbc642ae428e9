"""Red flags of awards, contracts and payments over time. Of a process with several contracts the worst one decides."""

from collections.abc import Iterator, Sequence

from schemas.flags import FlagSettings
from transforms.flags.model import (
    AWARD_STATUS,
    AWARDED,
    CATEGORY,
    METHOD,
    METHOD_NAME,
    Answer,
    Case,
    Flag,
    Found,
    Lacking,
    Object,
    Verdict,
    amount,
    begun,
    competitive,
    contracted,
    day,
    days_between,
    limit_of,
    limited,
)
from transforms.paths import values

_STANDING = ("active", "terminated", "pending", None)


def _contracts(document: Object) -> list[Object]:
    """The contracts that aren't cancelled."""
    return [each for each in document.get("contracts", ()) if each.get("status") in _STANDING]


def _with_award(document: Object) -> Iterator[tuple[Object, Object]]:
    awards = {award.get("id"): award for award in document.get("awards", ())}
    for contract in _contracts(document):
        if contract.get("awardID") in awards:
            yield contract, awards[contract["awardID"]]


def _worst(found: list[tuple[float, bool, Object]], lack: str) -> Answer:
    """The verdict with the highest figure; not computable where there is none."""
    if not found:
        return Lacking((lack,))
    _, flagged, figures = max(found, key=lambda each: each[0])
    return Verdict(flagged, figures)


def _r054(case: Case, document: Object, settings: FlagSettings) -> Answer:
    found = []
    for contract, award in _with_award(document):
        before, after = amount(award), amount(contract)
        on = day(award.get("date") or contract.get("dateSigned")) or case.start
        limit = limit_of(case, settings, on)
        if contract.get("amendments") and before is not None and after is not None and limit:
            figures = {"awarded": before, "contract": after, "limit": limit.most, "rule": limit.rule}
            found.append((after / limit.most, before <= limit.most < after, figures))
    return _worst(found, "an amended contract whose method has a limit")


def _r059(case: Case, document: Object, settings: FlagSettings) -> Answer:
    found = []
    for contract, award in _with_award(document):
        before, after = amount(award), amount(contract)
        if before and after is not None:
            share = abs(after - before) / before
            figures = {"awarded": before, "contract": after, "share": round(share, 4)}
            found.append((share, share >= settings.r059_share, figures))
    return _worst(found, "a contract and its award, both with a value")


def _r060(case: Case, document: Object, settings: FlagSettings) -> Answer:
    found = []
    for contract, award in _with_award(document):
        if award.get("date") and contract.get("dateSigned"):
            days = days_between(award["date"][:10], contract["dateSigned"][:10])
            figures = {"awarded": day(award["date"]), "signed": day(contract["dateSigned"]), "days": days}
            found.append((days, days > settings.r060_days, figures))
    return _worst(found, "a contract and its award, both with a date")


def _decision(case: Case, document: Object) -> tuple[float, Object] | None:
    """Days from the deadline for bids to the first active award."""
    deadline = document["tender"]["tenderPeriod"]["endDate"]
    dates = [a["date"] for a in document.get("awards", ()) if a.get("status") == "active" and a.get("date")]
    if not dates:
        return None
    days = days_between(deadline[:10], min(dates)[:10])
    return days, {"deadline": day(deadline), "awarded": day(min(dates)), "days": days}


def _r061(case: Case, document: Object, settings: FlagSettings) -> Answer:
    found = _decision(case, document)
    return Verdict(found[0] < settings.r061_days, found[1]) if found else Lacking(("an active award with a date",))


def _r062(case: Case, document: Object, settings: FlagSettings) -> Answer:
    found = _decision(case, document)
    return Verdict(found[0] > settings.r062_days, found[1]) if found else Lacking(("an active award with a date",))


def _r064(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    for case in cases:
        yield case.ocid, Verdict(case.amendments >= settings.r064_amendments, {"amendments": case.amendments})


def _r067(case: Case, document: Object, settings: FlagSettings) -> Answer:
    found = []
    for contract in _contracts(document):
        due = (contract.get("period") or {}).get("endDate")
        done = list(_deliveries(contract))
        if due and done:
            days = days_between(due[:10], max(done)[:10])
            figures = {"due": day(due), "delivered": day(max(done)), "days": days}
            found.append((days, days > settings.r067_days, figures))
    return _worst(found, "a contract with an end and a delivery that happened")


def _deliveries(contract: Object) -> Iterator[str]:
    implementation = contract.get("implementation") or {}
    yield from values(implementation, "endDate")
    for milestone in implementation.get("milestones", ()):
        if milestone.get("type") == "delivery" and milestone.get("status") == "met" and milestone.get("dateMet"):
            yield milestone["dateMet"]


def _r068(case: Case, document: Object, settings: FlagSettings) -> Answer:
    found = []
    for contract in _contracts(document):
        value = amount(contract)
        implementation = contract.get("implementation") or {}
        kinds = {
            "transactions": list(values(implementation, "transactions.value.amount")),
            "certified": list(values(implementation, "metrics.observations.value.amount")),
        }
        for kind, sums in kinds.items():
            if sums and value:
                share = sum(sums) / value
                over = share > settings.r068_share and sum(sums) - value * settings.r068_share >= 1
                figures = {"paid": sum(sums), "kind": kind, "contract": value, "share": round(share, 4)}
                found.append((share, over, figures))
    return _worst(found, "a contract above zero with payments")


def _r069(case: Case, document: Object, settings: FlagSettings) -> Answer:
    found = []
    for contract in _contracts(document):
        before, after = amount(contract, "initialValue"), amount(contract)
        if contract.get("amendments") and before and after is not None:
            share = (after - before) / before
            reasons = [text for each in contract["amendments"] if (text := each.get("rationale"))]
            figures = {"first": before, "contract": after, "share": round(share, 4), "reasons": reasons}
            found.append((share, share > settings.r069_share, figures))
    return _worst(found, "an amended contract whose first value is known")


def _procured(case: Case, settings: FlagSettings) -> bool:
    return begun(case, settings) and case.contracts > 0


def _amendable(case: Case, settings: FlagSettings) -> bool:
    return limited(case, settings) and case.contracts > 0


_PAID = "contracts.implementation.transactions.value.amount|contracts.implementation.metrics.observations.value.amount"
_DEADLINE = (METHOD, "tender.tenderPeriod.endDate", AWARD_STATUS, "awards.date")
_ADDENDA = "contracts with an addendum (`versi_addendum`, SIMDA's addenda)"

FLAGS = (
    Flag(
        "R054",
        "Direct award followed by change orders that exceed the competitive threshold",
        "process",
        (METHOD_NAME, CATEGORY, AWARDED, "contracts.value.amount", "contracts.amendments.id"),
        "An amended contract exceeds the limit of its direct method, and its award did not.",
        "OCP's list; limits: Perpres 16/2018, 12/2021, 46/2025",
        _ADDENDA,
        _amendable,
        ("limits",),
        one=_r054,
    ),
    Flag(
        "R059",
        "Large difference between the award value and final contract amount",
        "process",
        (AWARDED, "contracts.value.amount", "contracts.awardID"),
        "A contract's value differs from its award's by `r059_share` of it.",
        "OCP's list; Perpres 16/2018 art. 54 lets amendments raise a contract by 10 %",
        "contracts of attempts with their award; orders and recorded purchases have one value for both",
        _procured,
        ("r059_share",),
        one=_r059,
    ),
    Flag(
        "R060",
        "Long time between award date and contract signature date",
        "process",
        ("awards.date", "contracts.dateSigned", "contracts.awardID"),
        "A contract was signed more than `r060_days` after its award.",
        "OCP's list; Peraturan LKPP 12/2021: 14 working days after SPPBJ (to be confirmed); calendar days: ours",
        "e-contracts: `tgl_sppbj` and `tgl_kontrak`",
        _procured,
        ("r060_days",),
        one=_r060,
    ),
    Flag(
        "R061",
        "Decision period extremely short",
        "process",
        _DEADLINE,
        "The first active award came less than `r061_days` after the deadline for bids.",
        "OCP's list; days: ours",
        "tenders with a schedule and an award with a date",
        competitive,
        ("r061_days",),
        one=_r061,
    ),
    Flag(
        "R062",
        "Decision period excessively long",
        "process",
        _DEADLINE,
        "The first active award came more than `r062_days` after the deadline for bids.",
        "OCP's list; days: ours",
        "as R061",
        competitive,
        ("r062_days",),
        one=_r062,
    ),
    Flag(
        "R064",
        "Contract has modifications",
        "process",
        ("contracts.id",),
        "The contracts of the process have `r064_amendments` amendments. Computable where some contract of the fiscal "
        "year has one: else addenda are not read.",
        "OCP's list",
        _ADDENDA,
        contracted,
        ("r064_amendments",),
        in_year=("contracts.amendments.id",),
        many=_r064,
    ),
    Flag(
        "R067",
        "Delivery failure",
        "process",
        (
            "contracts.period.endDate",
            "contracts.implementation.endDate|contracts.implementation.milestones.dateMet",
        ),
        "The last delivery (BAST) came more than `r067_days` after the contract's end. A contract without a delivery "
        "is not computable: nobody knows whether it failed or is not recorded.",
        "OCP's list; days: ours",
        "contracts with an end (Kontrak, SPMK) and a BAST",
        contracted,
        ("r067_days",),
        one=_r067,
    ),
    Flag(
        "R068",
        "Contract transactions exceed contract amount",
        "process",
        ("contracts.value.amount", _PAID),
        "Payments of one kind (SP2D and recorded ones; or certified by BAP, each once) exceed `r068_share` of the "
        "contract's value, by a rupiah at least. Kinds are never added.",
        "OCP's list",
        "BAP of e-contracts, SP2D, recorded purchases",
        contracted,
        ("r068_share",),
        one=_r068,
    ),
    Flag(
        "R069",
        "Contract amendments to increase price",
        "process",
        ("contracts.value.amount", "contracts.initialValue.amount", "contracts.amendments.id"),
        "Amendments raised a contract's value by more than `r069_share` of the first. The figures have the reasons.",
        "OCP's list",
        "contracts with an addendum whose first version is known; `alasan_ubah_nilai_kontrak` is mostly rounding "
        "and is no addendum",
        contracted,
        ("r069_share",),
        one=_r069,
    ),
)
