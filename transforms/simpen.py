"""SIMPEN -> OCDS: milestones, progress over time, photos and documents of the contracts that its jobs carry out.

Jobs open no process: they come with the process of the contract that they are linked to, and say nothing while that
contract is not known. Whose contract it is, its value and its status, is for others to say.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from schemas.fields import point
from transforms.documents import document
from transforms.evidence import Evidence
from transforms.mapping import Body, Context, Partial, Row, SourceMapping
from transforms.parties import scrub, supplier_keys, tax_numbers
from transforms.rows import code_text

SOURCE = "simpen"

EVIDENT = ("SIMPEN-Pekerjaan",)

# Field of the date, field of the paper's number, code, title, type of milestone.
_MILESTONES = (
    ("tgl_spmk", "nomor_spmk", "SPMK", "SPMK (perintah mulai kerja)", "commencement"),
    ("tgl_mc0", None, "MC-0", "MC-0 (pemeriksaan bersama pertama)", "assessment"),
    ("tgl_pho", "nomor_pho", "PHO", "PHO (serah terima pertama)", "delivery"),
    ("tgl_fho", "nomor_fho", "FHO", "FHO (serah terima akhir)", "delivery"),
)
_PERCENT = {"scheme": "UNCEFACT", "id": "P1", "name": "percent"}
# How far a reported deviation may be from what its two percentages give: each of the three may be rounded.
_ROUNDED = 0.02


def evidence(service: str, record: Any) -> Iterator[Evidence]:
    """The evidence of which contract a job carries out; its reports and photos add none."""
    if service != "SIMPEN-Pekerjaan":
        return
    place = point(record.latitude, record.longitude)
    digits = tax_numbers(record.npwp_penyedia)
    name = scrub(record.nama_pekerjaan)
    supplier = scrub(record.nama_penyedia)
    yield Evidence(
        ("pekerjaan", code_text(record.pekerjaan_id)),
        record.tahun,
        record.kd_satker,
        record.nama_satker,
        rups=tuple(("rup", code) for code in record.kode_rup),
        numbers=(record.nomor_kontrak,) if record.nomor_kontrak else (),
        suppliers=(supplier,) if supplier else (),
        taxes=tuple(key for _, key in supplier_keys(None, digits)),
        amounts=tuple(float(amount) for amount in (record.nilai_kontrak, record.nilai_adendum) if amount),
        dates=tuple(day[:10] for day in (record.tanggal_kontrak, record.tgl_spmk) if day),
        titles=(name,) if name else (),
        villages=(record.desa,) if record.desa else (),
        districts=(record.kecamatan,) if record.kecamatan else (),
        points=(place,) if place else (),
    )


def pekerjaan(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Pekerjaan: the milestones that were met. Where nobody else knows when the work ended, its first handover stands
    for that."""
    for job, versions in _by_job(rows).items():
        row = versions[-1]
        record = row.record
        ended = record.tgl_pho if context.happened(row, record.tgl_pho) else None
        milestones = [
            {
                "id": f"{SOURCE}-{job}-{code.replace('-', '').lower()}",
                "title": title,
                "type": sort,
                "code": code,
                "number": scrub(number and getattr(record, number)),
                **(
                    {"dateMet": context.moment(day), "status": "met"}
                    if context.happened(row, day)
                    else {"dueDate": context.moment(day), "status": "scheduled"}
                ),
            }
            for date, number, code, title, sort in _MILESTONES
            if (day := getattr(record, date))
        ]
        yield from _of_contract(
            versions,
            context,
            [getattr(record, date) for date, *_ in _MILESTONES],
            {
                "milestones": milestones,
                "endDate": context.moment(ended, end=True),
                "endDateDetails": "Tanggal PHO" if ended else None,
            },
        )


def progres(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Progres: physical and financial progress as metrics, three observations a report: planned, actual, deviation."""
    for job, reports in _by_job(rows).items():
        metrics = [
            _metric(job, "fisik", "Realisasi fisik", reports, context),
            _metric(job, "keuangan", "Realisasi keuangan", reports, context),
        ]
        yield from _of_contract(
            reports,
            context,
            [row.record.tanggal_pelaksanaan for row in reports],
            {"metrics": [metric for metric in metrics if metric["observations"]]},
        )


def _metric(job: str, aspect: str, title: str, reports: list[Row], context: Context) -> Body:
    """One aspect of progress over all reports, in their order; of two with one day and number the first counts."""
    observations: dict[str, Body] = {}
    for row in sorted(reports, key=lambda r: (r.record.tanggal_pelaksanaan or "", r.record.nomor_pelaksanaan or "")):
        for observation in _observations(row, aspect, context):
            observations.setdefault(observation["id"], observation)
    return {"id": f"{SOURCE}-{job}-{aspect}", "title": title, "observations": list(observations.values())}


def _observations(row: Row, aspect: str, context: Context) -> Iterator[Body]:
    """What one report gives of one aspect; problems and actions stand with the actual physical progress, or with the
    financial one where there is no other."""
    record = row.record
    planned, actual, reported = (getattr(record, f"{part}_{aspect}") for part in ("rencana", "realisasi", "deviasi"))
    deviation = reported
    if planned is not None and actual is not None:
        deviation = round(actual - planned, 2)
        if reported is not None and abs(reported - deviation) > _ROUNDED:
            context.signals.add((SOURCE, context.service, f"deviasi_{aspect}", "is not realisasi less rencana"))
    named = "-".join(filter(None, (record.tanggal_pelaksanaan, record.nomor_pelaksanaan)))
    report = named or hashlib.sha256(row.key.encode()).hexdigest()[:12]
    words = (("Permasalahan", scrub(record.permasalahan)), ("Tindakan", scrub(record.tindakan)))
    notes = "\n".join(f"{head}: {text}" for head, text in words if text)
    has_notes = aspect == "fisik" or record.realisasi_fisik is None
    for part, kind, measure in (
        ("rencana", "plan", planned),
        ("realisasi", "actual", actual),
        ("deviasi", "deviation", deviation),
    ):
        if measure is not None:
            yield {
                "id": f"{report}-{part}",
                "period": context.period(record.tanggal_pelaksanaan, record.tanggal_pelaksanaan),
                "measure": measure,
                "unit": _PERCENT,
                "dimensions": {"kind": kind},
                "notes": notes if kind == "actual" and has_notes else None,
            }


def dokumentasi(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Dokumentasi: photos and documents by their addresses."""
    for job, papers in _by_job(rows).items():
        found = [
            document(
                f"{SOURCE}-{job}",
                row.record.url,
                context,
                kind=context.code(SOURCE, "documentType", "jenis", row.record.jenis),
                title=row.record.judul,
                description=row.record.keterangan,
                date=row.record.tanggal,
            )
            for row in papers
        ]
        documents = {paper["id"]: paper for paper in found if paper}
        yield from _of_contract(
            papers, context, [row.record.tanggal for row in papers], {"documents": list(documents.values())}
        )


def _of_contract(rows: list[Row], context: Context, days: list[str | None], implementation: Body) -> Iterator[Partial]:
    """What one job's rows give of its contract's implementation; nothing while the contract is not known."""
    job = rows[0].code
    numbers = (row.record.nomor_kontrak for row in context.rows.get("SIMPEN-Pekerjaan", ()) if row.code == job)
    contract = context.contract("pekerjaan", rows[0], *numbers)
    if contract and any(implementation.values()):
        name, award = contract
        yield Partial({"contracts": [{"id": name, "awardID": award, "implementation": implementation}]}, tuple(rows))


def _by_job(rows: list[Row]) -> dict[str, list[Row]]:
    """Rows by job, each once: as the list of the latest year has it."""
    once = {row.key: row for row in sorted(rows, key=lambda r: (r.record.tahun or 0, r.scope, r.key))}
    jobs: dict[str, list[Row]] = {}
    for row in sorted(once.values(), key=lambda r: (r.code, r.record.tahun or 0, r.key)):
        jobs.setdefault(row.code, []).append(row)
    return jobs


MAPPING = SourceMapping(
    SOURCE,
    mappers={
        "SIMPEN-Pekerjaan": pekerjaan,
        "SIMPEN-Progres": progres,
        "SIMPEN-Dokumentasi": dokumentasi,
    },
    evidence=evidence,
    evident=EVIDENT,
)
