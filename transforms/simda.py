"""SIMDA and SIPD-RI -> OCDS: which activity of the budget pays, how a contract was changed, and what was paid on it.

Nothing here opens a process: budget lines and contracts come with the processes that they are linked to. Ids carry the
system and SIMDA's own number. Amounts of budget lines are never given: a line pays for many packages.
"""

import re
from collections.abc import Iterator
from typing import Any

from schemas.simda import SERVICES, OfficeRecord
from transforms import codes, mak
from transforms.evidence import Evidence
from transforms.linking.numbers import number_parts
from transforms.mapping import Amount, Body, Context, Partial, Row, SourceMapping, money, parties, reference
from transforms.parties import names_organisation, payee_party, plain_name, scrub, supplier_keys, tax_numbers
from transforms.rows import code_text

SOURCE = "simda"
PAYMENTS = ("SIMDA-SP2D", "SIPD-SP2D")
"""The lists of payments; of a payment in both, the first gives the fields."""


EVIDENT = tuple(service.name for service in SERVICES)


_CODES = {service.name: service.key[: service.code_parts] for service in SERVICES}
_DAYS = re.compile(r"(\d{1,4})\b[^\d]*\b(?:hari|hr)\b", re.IGNORECASE)
# Of every office's own support programme the mapping names no field: `X.XX.01` stands for the office's.
_SUPPORT_PROGRAMME = "1"


# --- what rows say of where they belong ------------------------------------------------------------------------------


def evidence(service: str, record: Any) -> Iterator[Evidence]:
    """The evidence of a row about its budget line or contract.

    A payment is a part of a contract's value, on a day of its own: neither shows which contract it is.
    """
    code = _code(service, record)
    if service == "SIMDA-Addendum":
        amounts = _given(record.Nilai)
        yield Evidence(("kontrak", code), record.Tahun, numbers=(record.No_Kontrak,), amounts=amounts)
        return
    office = {"year": record.Tahun, "office": _office_code(record), "office_name": record.office.name}
    if service == "SIMDA-Anggaran":
        account = canonical_mak(record)
        yield Evidence(
            ("anggaran", code),
            **office,
            maks=(account,) if account else (),
            amounts=_given(record.Total),
            titles=_given(record.nm_sub_kegiatan or record.Ket_Kegiatan, record.Keterangan_Rinc),
        )
    elif service == "SIMDA-Kontrak":
        yield Evidence(
            ("kontrak", code),
            **office,
            numbers=(record.No_Kontrak,),
            suppliers=_given(record.Nm_Perusahaan),
            taxes=_digests(record.NPWP),
            amounts=_given(record.Nilai),
            dates=_given(record.Tgl_Kontrak and record.Tgl_Kontrak[:10]),
            titles=_given(record.Keperluan),
        )
    elif service in PAYMENTS:
        supplier = codes.table(SOURCE).get(("recipient", record.Jn_SPM or "")) == "supplier"
        yield Evidence(
            ("kontrak", code),
            **office,
            numbers=(record.No_Kontrak,),
            suppliers=_given(record.Nm_Penerima) if supplier else (),
            taxes=_digests(record.NPWP) if supplier else (),
            # SIPD-RI lists no contracts: what a payment is for is all that its contract is known by besides its number.
            titles=_given(record.Uraian) if service == "SIPD-SP2D" else (),
            papers=tuple(
                (kind, number)
                for kind, number in (("sp2d", record.No_SP2D), ("spm", record.No_SPM), ("spp", record.No_SPP))
                if number
            ),
        )


def canonical_mak(record: Any) -> str | None:
    """The account code of a budget row in the form of `mak.canonical`; None where Permendagri 90's codes are missing.

    Without an account the sub-activity alone. The support programme, which every office has, is counted under the
    office's own field, that of its code.
    """
    field = (record.kd_urusan90, record.kd_bidang90)
    if record.kd_program90 and record.kd_program90.lstrip("0") == _SUPPORT_PROGRAMME and (office := record.office.code):
        field = tuple(office.split(".")[:2])
    activity = [*field, record.kd_program90, record.kd_kegiatan90, record.kd_sub_kegiatan]
    account = [getattr(record, f"kd_rek90_{level}") for level in range(1, 7)]
    segments = [*activity, *account] if all(account) else activity
    return mak.canonical(".".join(segment or "-" for segment in segments))


def _code(service: str, record: Any) -> str:
    """The subject's code, as `rows.identify` makes it of the raw row."""
    first, *others = (code_text(getattr(record, name)) for name in _CODES[service])
    return "|".join((first, *(part.replace("|", "¦") for part in others)))


def _office_code(record: OfficeRecord) -> str | None:
    """The office's code of Permendagri 90, or SIMDA's own."""
    own = [part for part in (record.Kd_Urusan, record.Kd_Bidang, record.Kd_Unit, record.Kd_Sub) if part]
    return record.kd_unit90 or (".".join(own) if len(own) == 4 else None)


def _given(*values: Any) -> tuple[Any, ...]:
    return tuple(value for value in values if value)


def _digests(number: str | None) -> tuple[str, ...]:
    return tuple(digest for _, digest in supplier_keys(None, tax_numbers(number)))


# --- what they say in OCDS -------------------------------------------------------------------------------------------


def anggaran(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Anggaran: the programme, activity and sub-activity that the process is paid from."""
    activities: dict[str, None] = {}
    projects: dict[str, None] = {}
    sub_activities: dict[str, None] = {}
    for row in rows:
        names = (row.record.Ket_Program, row.record.Ket_Kegiatan, row.record.nm_sub_kegiatan)
        # Since 2021 a SIMDA activity is a sub-activity of Permendagri 90, and often bears its name.
        once = {plain_name(name): name for name in map(scrub, names) if name}
        if once:
            activities[" / ".join(once.values())] = None
        if project := scrub(row.record.nm_sub_kegiatan or row.record.Ket_Kegiatan):
            projects.setdefault(plain_name(project) and project, None)
        if account := canonical_mak(row.record):
            sub_activities[mak.sub_activity(account)] = None
    if activities or sub_activities:
        office = context.office(rows[0].record)
        body = {
            "buyer": reference(office),
            "planning": {
                "budget": {
                    "description": "; ".join(sorted(activities)),
                    "project": "; ".join(sorted(projects)),
                    "projectID": "+".join(sorted(sub_activities)),
                    "fiscalYear": max(row.record.Tahun for row in rows),
                }
            },
            "parties": parties(office),
        }
        yield Partial(body, tuple(rows))


def kontrak(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Kontrak: value, date and duration of a contract for where its buyer's own system gives none.

    An addendum's value and time replace the contract's. Where several registered contracts are one, no value is given:
    whether they repeat one another or are its yearly parts is unknown.
    """
    for (contract, award), registered in _by_contract(rows, context).items():
        record = registered[0].record
        addenda = sorted(
            (row for row in context.rows.get("SIMDA-Addendum", ()) if row.code in {r.code for r in registered}),
            key=_added,
        )
        versions = [record, *(row.record for row in addenda)]
        values = [version.Nilai for version in versions if version.Nilai is not None]
        days = [found for version in versions if (found := _days(version.Waktu))]
        changed = len(registered) == 1 and any(row.record.Nilai is not None for row in addenda)
        yield Partial(
            {
                "contracts": [
                    {
                        "id": contract,
                        "awardID": award,
                        "value": money(values[-1]) if values and len(registered) == 1 else None,
                        "initialValue": money(record.Nilai) if changed else None,
                        "dateSigned": context.moment(record.Tgl_Kontrak)
                        if context.happened(registered[0], record.Tgl_Kontrak)
                        else None,
                        "period": {"durationInDays": days[-1]} if days else None,
                    }
                ]
            },
            (*registered, *addenda),
        )


def addendum(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Addendum: each is an amendment with what the value and the time became. One that the buyer's own system has
    too (of the same day, or else the same value) is that one; of the others the latest value is the contract's."""
    for (contract, award), addenda in _by_contract(rows, context).items():
        addenda.sort(key=_added)
        amendments = {}
        first, known = context.values.get(contract, (None, []))
        others = list(known)
        value = None
        for row in addenda:
            record = row.record
            number = document_number(record.No_Addendum)
            same = _same_addendum(record, others)
            if record.Nilai is not None:
                value = None if same else record.Nilai
            became = [f"Nilai menjadi {_rupiah(record.Nilai)}"] if record.Nilai is not None else []
            became += [f"Waktu menjadi {record.Waktu}"] if record.Waktu else []
            entry = same or f"simda-addendum-{number or row.key.replace('|', '-')}"
            amendments[entry] = {
                "id": entry,
                "date": context.moment(record.Tgl_Addendum) if context.happened(row, record.Tgl_Addendum) else None,
                "description": scrub(record.Keperluan) or f"Addendum {number}".strip(),
                "rationale": scrub("; ".join(became)),
            }
        yield Partial(
            {
                "contracts": [
                    {
                        "id": contract,
                        "awardID": award,
                        "value": money(value),
                        # A value that is the new one already was changed in place.
                        "initialValue": money(first) if value is not None and first != value else None,
                        "amendments": list(amendments.values()),
                    }
                ]
            },
            tuple(addenda),
        )


def _same_addendum(record: Any, others: list[tuple[str, str | None, Amount]]) -> str | None:
    """The id of the amendment that the buyer's own system has for an addendum; taken out of `others`."""
    day, value = (record.Tgl_Addendum or "")[:10], record.Nilai
    for other in others:
        if day and (other[1] or "")[:10] == day:
            others.remove(other)
            return other[0]
    for other in others:
        if value is not None and other[2] == value:
            others.remove(other)
            return other[0]
    return None


def sp2d(rows: list[Row], context: Context) -> Iterator[Partial]:
    """SP2D: each is a transaction from the office to the supplier.

    In the year in which SIPD-RI replaces SIMDA a contract has payments in both. Either service gives all of them, since
    the transactions of a contract come from one service.
    """
    others = (row for name in PAYMENTS if name != context.service for row in context.rows.get(name, ()))
    for (contract, award), orders in _by_contract([*rows, *others], context).items():
        transactions: dict[str, Body] = {}
        due: dict[str, Body] = {}
        named: list[Body | None] = []
        for payment in _payments(orders):
            row = payment[0]
            record = row.record
            payer, payee = _payer(row, context), _payee(row, context)
            if payee and contract.startswith("swakelola-") and not names_organisation(payee):
                payee = payee_party(payee["name"])
            named += [payer, payee]
            amount = _amount(payment)
            entry = f"{'simda' if row.service == PAYMENTS[0] else 'sipd'}-{document_number(record.No_SP2D)}"
            # The treasury counts anew each year; a dump may hold two payments of one number.
            for more in (record.Tahun, amount, _office_code(record)):
                if entry in transactions or entry in due:
                    entry = f"{entry}-{more}"
            if not context.happened(row, record.Tgl_SP2D):
                day = context.moment(record.Tgl_SP2D)
                due[entry] = {
                    "id": entry,
                    "type": "payment",
                    "title": "SP2D",
                    "dueDate": day,
                    "status": "scheduled",
                    "value": money(amount),
                }
                continue
            transactions[entry] = {
                "id": entry,
                "type": "SP2D",
                "number": document_number(record.No_SP2D),
                "date": context.moment(record.Tgl_SP2D),
                "value": money(amount),
                "payer": reference(payer),
                "payee": reference(payee),
            }
        yield Partial(
            {
                "contracts": [
                    {
                        "id": contract,
                        "awardID": award,
                        "implementation": {
                            "transactions": list(transactions.values()),
                            "milestones": list(due.values()),
                        },
                    }
                ],
                "parties": parties(*named),
            },
            tuple(orders),
        )


def _by_contract(rows: list[Row], context: Context) -> dict[tuple[str, str], list[Row]]:
    """Rows by the (contract id, award id) that they belong to; those of a contract not known yet are left out."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row.code, row.key)):
        found = context.contract("kontrak", row, row.record.No_Kontrak)
        if found:
            groups.setdefault(found, []).append(row)
    return groups


def _payments(orders: list[Row]) -> list[list[Row]]:
    """The rows of each payment, by day: one for each registered contract that it is for, then what the other system
    has of it.

    A payment is its year, office, number and amount, since numbers begin anew with a system. What SIMDA shares among
    contracts stands whole in SIPD: of one number and day, two systems' payments are one too.
    """
    once = {(row.service, row.key): row for row in sorted(orders, key=lambda row: row.scope)}
    counted: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in sorted(once.values(), key=lambda row: (PAYMENTS.index(row.service), *_paid(row))):
        record = row.record
        number = (row.service, record.Tahun, _office_code(record), number_parts(record.No_SP2D))
        nth = 0
        while (same := counted.get((*number, nth), {}).get(row.code)) and same.record.Nilai != record.Nilai:
            nth += 1
        counted.setdefault((*number, nth), {}).setdefault(row.code, row)
    payments = [list(parts.values()) for parts in counted.values()]
    # Equal amounts first: one number of a day may be two payments of a system.
    for alike in (_same_amount, _same_day):
        for other in [payment for payment in payments if payment[0].service == PAYMENTS[1]]:
            held = next((one for one in payments if _can_be_one(one, other) and alike(one, other)), None)
            if held:
                held += other
                payments.remove(other)
    return sorted(payments, key=lambda payment: _paid(payment[0]))


def _paid(row: Row) -> tuple[Any, ...]:
    return row.record.Tahun, row.record.Tgl_SP2D or "", row.key


def _can_be_one(one: list[Row], other: list[Row]) -> bool:
    """Whether a payment of SIMDA, united with no other yet, and one of SIPD have year, office and number alike."""
    if {row.service for row in one} != {PAYMENTS[0]}:
        return False
    first, second = one[0].record, other[0].record
    offices = {code.rpartition(".")[0] for record in (first, second) if (code := record.office.code)}
    numbers = number_parts(first.No_SP2D), number_parts(second.No_SP2D)
    return first.Tahun == second.Tahun and len(offices) < 2 and numbers[0] == numbers[1]


def _same_amount(one: list[Row], other: list[Row]) -> bool:
    amounts = _amount(one), _amount(other)
    return None in amounts or amounts[0] == amounts[1]


def _same_day(one: list[Row], other: list[Row]) -> bool:
    days = [payment[0].record.Tgl_SP2D for payment in (one, other)]
    return all(days) and days[0][:10] == days[1][:10]


def _amount(payment: list[Row]) -> Amount:
    """What a payment came to for its contract, by the first system that gives an amount."""
    for name in PAYMENTS:
        amounts = [row.record.Nilai for row in payment if row.service == name and row.record.Nilai is not None]
        if amounts:
            total: Amount = sum(amounts)
            return total
    return None


def _payer(row: Row, context: Context) -> Body | None:
    """The office that pays; without LKPP's code of it, as those rows name it that are about the contract."""
    if row.record.office.code is None:
        purchases = {code for _, code in context.links.get(("kontrak", row.code), ())}
        others = (other for rows in context.rows.values() for other in rows if other.code in purchases)
        found = (context.office(other.record) for other in others)
        office = next((party for party in found if party and "identifier" in party), None)
        if office:
            return office
    return context.office(row.record)


def _payee(row: Row, context: Context) -> Body | None:
    """The supplier: as the contract names it, else who receives the payment, unless that is the office's treasurer."""
    record = row.record
    contract = next((r.record for r in context.rows.get("SIMDA-Kontrak", ()) if r.code == row.code), None)
    if contract and contract.Nm_Perusahaan:
        form = context.code(SOURCE, "form", "Bentuk", contract.Bentuk)
        return context.supplier(None, contract.Nm_Perusahaan, contract.NPWP, record.NPWP, form=form)
    if context.code(SOURCE, "recipient", "Jn_SPM", record.Jn_SPM) == "supplier":
        return context.supplier(None, record.Nm_Penerima, record.NPWP)
    return None


def _added(row: Row) -> tuple[Any, ...]:
    return row.record.Tahun, row.record.Tgl_Addendum or "", row.key


def document_number(text: str | None) -> str:
    """A document's number, single blanks."""
    return scrub(" ".join((text or "").split())) or ""


def _days(text: str | None) -> int | None:
    """The days of a duration such as `120 (seratus dua puluh) hari kalender`; None for months and what is unclear."""
    found = _DAYS.search(text or "")
    return int(found[1]) if found else None


def _rupiah(amount: float | int) -> str:
    """An amount as it is written in Indonesia: `Rp 1.250.000` or `Rp 1.250.000,50`."""
    text = f"{amount:,}" if isinstance(amount, int) else f"{amount:,.2f}"
    return "Rp " + text.translate(str.maketrans(",.", ".,"))


MAPPING = SourceMapping(
    SOURCE,
    mappers={
        "SIMDA-Anggaran": anggaran,
        "SIMDA-Kontrak": kontrak,
        "SIMDA-Addendum": addendum,
        **dict.fromkeys(PAYMENTS, sp2d),
    },
    evidence=evidence,
    evident=EVIDENT,
    # A budget line is the sum of its details.
    amounts={"anggaran": lambda details: sum(part.amounts[0] for part in details)},
)
