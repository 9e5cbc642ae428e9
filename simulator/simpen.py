"""SIMPEN's services: jobs, their progress week by week, photos and documents, as rows of such systems."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.facts import Job, Office
from simulator.rendering import Row, Service, date
from simulator.state import State


def office_code(office: Office) -> str | None:
    """The code of the office here; for one office in three there is its name alone."""
    return None if office.sirup_id // 10 % 3 == 1 else office.code


def office_name(office: Office) -> str:
    """The office's name as it is typed here."""
    return office.name if office.sirup_id // 10 % 4 else f"{office.name.title()} Kab. Rekaan"


def _day(paper: tuple[str, object] | None) -> str | None:
    return date(paper[1]) if paper else None  # type: ignore[arg-type]


def _status(job: Job) -> str:
    if job.finally_handed_over:
        return "FHO"
    if job.handed_over:
        return "PHO"
    return "Berjalan" if job.ordered else "Persiapan"


def jobs(world: State, job: Job) -> Iterator[Row]:
    """SIMPEN-Pekerjaan."""
    if job.absent:
        return
    latitude, longitude = job.coordinates or (None, None)
    yield {
        "pekerjaan_id": job.id,
        "tahun": job.year,
        "kode_rup": job.rup,
        "nama_pekerjaan": job.title,
        "kd_satker": office_code(job.office),
        "nama_satker": office_name(job.office),
        "nomor_kontrak": job.number,
        "tanggal_kontrak": date(job.signed),
        "nilai_kontrak": job.value,
        "nama_penyedia": job.supplier_name,
        "npwp_penyedia": job.npwp,
        "nomor_spmk": job.ordered[0] if job.ordered else None,
        "tgl_spmk": _day(job.ordered),
        "tgl_mc0": date(job.measured) if job.measured else None,
        "nomor_pho": job.handed_over[0] if job.handed_over else None,
        "tgl_pho": _day(job.handed_over),
        "nomor_fho": job.finally_handed_over[0] if job.finally_handed_over else None,
        "tgl_fho": _day(job.finally_handed_over),
        "tanggal_selesai": date(job.end),
        "kecamatan": job.district,
        "desa": job.village,
        "latitude": latitude,
        "longitude": longitude,
        "nilai_adendum": job.addendum[0] if job.addendum else None,
        "tanggal_adendum": date(job.addendum[1]) if job.addendum else None,
        "status": _status(job),
    }


def percent(value: float) -> str:
    """`45,25`."""
    return f"{value:.2f}".replace(".", ",")


def progress(world: State, job: Job) -> Iterator[Row]:
    """SIMPEN-Progres."""
    if job.absent:
        return
    for report in job.reports:
        yield {
            "pekerjaan_id": job.id,
            "tanggal_pelaksanaan": date(report.at),
            "nomor_pelaksanaan": report.number,
            "tahun": job.year,
            "rencana_fisik": percent(report.planned),
            "realisasi_fisik": percent(report.actual),
            "deviasi_fisik": percent(report.actual - report.planned),
            "rencana_keuangan": percent(report.money_planned),
            "realisasi_keuangan": percent(report.money_actual),
            "deviasi_keuangan": percent(report.money_actual - report.money_planned),
            "permasalahan": report.problem,
            "tindakan": report.action,
        }


def attachments(world: State, job: Job) -> Iterator[Row]:
    """SIMPEN-Dokumentasi."""
    if job.absent:
        return
    for each in job.attachments:
        latitude, longitude = each.coordinates or (None, None)
        yield {
            "pekerjaan_id": job.id,
            "url": each.url,
            "tahun": job.year,
            "judul": each.title,
            "jenis": each.sort,
            "tanggal": date(each.at),
            "latitude": latitude,
            "longitude": longitude,
            "keterangan": each.note,
        }


SERVICES = (
    Service("SIMPEN-Pekerjaan", "pekerjaan_id", "jobs", jobs, key=("pekerjaan_id",)),
    Service(
        "SIMPEN-Progres",
        "pekerjaan_id",
        "jobs",
        progress,
        key=("pekerjaan_id", "tanggal_pelaksanaan", "nomor_pelaksanaan"),
    ),
    Service("SIMPEN-Dokumentasi", "pekerjaan_id", "jobs", attachments, key=("pekerjaan_id", "url")),
)
"""SIMPEN's services."""
