"""SIRUP's services: plans, budget lines, places, revisions and masters as rows in ISB's field names and types."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from simulator import names
from simulator.facts import RUP, SELF_MANAGED, Office, Plan, SubActivity
from simulator.rendering import Row, Service, date, extracted, regency, sirup_office, stamp
from simulator.state import State


def _first_of(plan: Plan, months_later: int) -> str:
    month = min(12, plan.month + months_later)
    return date(dt.date(plan.year, month, 1))


def bought(world: State, plan: Plan) -> Iterator[Row]:
    """RUP-PaketPenyedia-Terumumkan."""
    if not plan.stands:
        return
    first = plan.first.code if isinstance(plan.first, Plan) else plan.first
    number, method = plan.method
    yield {
        **sirup_office(world, plan.year, plan.office),
        "kd_rup": plan.code,
        "nama_paket": plan.title,
        "pagu": plan.amount,
        "kd_metode_pengadaan": number,
        "metode_pengadaan": method,
        "kd_jenis_pengadaan": ";".join(code for code, _ in plan.categories),
        "jenis_pengadaan": ";".join(name for _, name in plan.categories),
        "status_pradipa": "PraDIPA" if plan.created.year < plan.year else "Non-PraDIPA",
        "status_pdn": "PDN",
        "status_ukm": "UKM",
        "alasan_non_ukm": None,
        "status_konsolidasi": "Konsolidasi" if plan.consolidated else "Non-Konsolidasi",
        "tipe_paket": "Penyedia di dalam Swakelola" if plan.inside else "Penyedia",
        "kd_rup_swakelola": plan.inside.code if plan.inside else None,
        "kd_rup_lokal": None,
        "volume_pekerjaan": plan.volume,
        "urarian_pekerjaan": plan.description,
        "spesifikasi_pekerjaan": f"{plan.title}\r\n" if plan.month % 2 else plan.title,
        "tgl_awal_pemilihan": _first_of(plan, 0),
        "tgl_akhir_pemilihan": _first_of(plan, 1),
        "tgl_awal_kontrak": _first_of(plan, 1),
        "tgl_akhir_kontrak": _first_of(plan, 5),
        "tgl_awal_pemanfaatan": _first_of(plan, 5),
        "tgl_akhir_pemanfaatan": _first_of(plan, 11),
        "tgl_buat_paket": date(plan.created),
        "tgl_pengumuman_paket": stamp(plan.announced),
        "nip_ppk": plan.official.nip,
        "nama_ppk": plan.official.name,
        "username_ppk": plan.official.account,
        "status_aktif_rup": plan.active,
        "status_delete_rup": False,
        "status_umumkan_rup": "Terumumkan",
        "status_dikecualikan": plan.excluded is not None,
        "alasan_dikecualikan": plan.excluded,
        "tahun_pertama": plan.year - 1 if first else None,
        "kode_rup_tahun_pertama": first,
        "nomor_kontrak": f"900.3/{first % 1000:03d}/SPK/{plan.office.abbreviation}/{plan.year - 1}" if first else None,
        "spp_aspek_ekonomi": plan.month % 3 == 0,
        "spp_aspek_sosial": False,
        "spp_aspek_lingkungan": False,
        **extracted(world),
    }


def self_managed(world: State, plan: Plan) -> Iterator[Row]:
    """RUP-PaketSwakelola-Terumumkan."""
    if not plan.stands:
        return
    other = plan.self_managed_type > 1
    yield {
        **sirup_office(world, plan.year, plan.office),
        "kd_rup": plan.code,
        "nama_paket": plan.title,
        "pagu": plan.amount,
        "tipe_swakelola": plan.self_managed_type,
        "volume_pekerjaan": plan.volume,
        "uraian_pekerjaan": plan.description,
        "kd_klpd_penyelenggara": world.kd_klpd if other else None,
        "nama_klpd_penyelenggara": names.REGENCY if other else None,
        "nama_satker_penyelenggara": plan.office.name if other else None,
        "tgl_awal_pelaksanaan_kontrak": _first_of(plan, 0),
        "tgl_akhir_pelaksanaan_kontrak": _first_of(plan, 11),
        "tgl_buat_paket": date(plan.created),
        "tgl_pengumuman_paket": stamp(plan.announced),
        "nip_ppk": plan.official.nip,
        "nama_ppk": plan.official.name,
        "username_ppk": "",
        "kd_rup_lokal": None,
        "status_aktif_rup": plan.active,
        "status_delete_rup": False,
        "status_umumkan_rup": "Terumumkan",
        **extracted(world),
    }


def budget_lines(world: State, plan: Plan) -> Iterator[Row]:
    """RUP-PaketAnggaranPenyedia and RUP-PaketAnggaranSwakelola."""
    for code, active in plan.codes:
        for line in plan.lines:
            yield {
                **sirup_office(world, plan.year, plan.office),
                "kd_rup": code,
                "kd_rup_lokal": None,
                "kd_kegiatan": line.sub.activity[0],
                "kd_komponen": None,
                "kd_subkegiatan": line.sub.id,
                "pagu": line.amount,
                "mak": line.mak,
                "sumber_dana": line.source,
                "asal_dana": world.kd_klpd,
                "tahun_anggaran_dana": plan.year,
                "asal_dana_klpd": names.REGENCY,
                "asal_dana_satker": plan.office.name,
                "status_aktif_rup": active,
                "status_delete_rup": False,
                "status_umumkan_rup": "Terumumkan" if plan.published else "Terinisiasi",
                **extracted(world),
            }


def places(world: State, plan: Plan) -> Iterator[Row]:
    """RUP-PaketPenyediaLokasi and RUP-PaketSwakelolaLokasi."""
    for code, _ in plan.codes:
        for place in plan.places:
            yield {
                **sirup_office(world, plan.year, plan.office),
                "kd_rup": code,
                "detail_lokasi": place,
                "kd_kab_kota": 990_001,
                "kab_kota": "Rekaan (Kab.)",
                "kd_provinsi": 901,
                "provinsi": names.PROVINCE,
                **extracted(world),
            }


def revisions(world: State, plan: Plan) -> Iterator[Row]:
    """RUP-HistoryKajiUlang."""
    for revision in plan.revisions:
        yield {
            **sirup_office(world, plan.year, plan.office),
            "kd_rup_lama": revision.old,
            "kd_rup_baru": revision.new,
            "jenis_paket": "SWAKELOLA" if plan.kind == SELF_MANAGED else "PENYEDIA",
            "jenis_revisi": revision.sort,
            "alasan_kajiulang": revision.reason,
            "tgl_kaji_ulang": stamp(revision.at),
            **extracted(world),
        }


def master_offices(world: State, office: Office) -> Iterator[Row]:
    """RUP-MasterSatker."""
    yield {
        "kd_satker": office.sirup_id,
        "kd_satker_str": office.code,
        "nama_satker": office.name,
        "alamat": None,
        "telepon": None,
        "fax": None,
        "kodepos": None,
        "status_satker": "Aktif",
        "ket_satker": "Satker/OPD BLU/BLUD" if "RUMAH SAKIT" in office.name else "Satker/OPD Non-BLU/BLUD",
        "jenis_satker": "SKPD",
        "kd_klpd": world.kd_klpd,
        "nama_klpd": names.REGENCY,
        "jenis_klpd": "KABUPATEN",
        "kode_eselon": None,
    }


def _programs(world: State, year: int) -> list[SubActivity]:
    """One sub-activity of each programme."""
    return list({sub.program[0]: sub for sub in world.subs if sub.year == year}.values())


def _activities(world: State, year: int) -> list[SubActivity]:
    return list({sub.activity[0]: sub for sub in world.subs if sub.year == year}.values())


def programs(world: State, sub: SubActivity) -> Iterator[Row]:
    """RUP-ProgramMaster."""
    yield {
        **regency(world, sub.year),
        "kd_satker": sub.office.sirup_id,
        "kd_program": sub.program[0],
        "kd_program_str": sub.program[1],
        "nama_program": sub.program[2],
        "pagu_program": sub.amount * 7,
        "kd_program_lokal": None,
        "is_deleted": False,
        **extracted(world),
    }


def activities(world: State, sub: SubActivity) -> Iterator[Row]:
    """RUP-KegiatanMaster."""
    yield {
        **regency(world, sub.year),
        "kd_satker": sub.office.sirup_id,
        "kd_program": sub.program[0],
        "kd_kegiatan": sub.activity[0],
        "kd_kegiatan_str": sub.activity[1],
        "nama_kegiatan": sub.activity[2],
        "pagu_kegiatan": sub.amount * 3,
        "kd_kegiatan_lokal": None,
        "is_deleted": False,
        **extracted(world),
    }


def sub_activities(world: State, sub: SubActivity) -> Iterator[Row]:
    """RUP-SubKegiatanMaster."""
    yield {
        **regency(world, sub.year),
        "kd_satker": sub.office.sirup_id,
        "kd_program": sub.program[0],
        "kd_kegiatan": sub.activity[0],
        "kd_subkegiatan": sub.id,
        "kd_subkegiatan_str": sub.code,
        "nama_subkegiatan": sub.name,
        "pagu_subkegiatan": sub.amount,
        "kd_subkegiatan_lokal": None,
        "is_deleted": False,
        **extracted(world),
    }


def budget_structure(world: State, office_and_year: tuple[Office, int]) -> Iterator[Row]:
    """RUP-StrukturAnggaranPD: units below an office are listed without a budget."""
    office, year = office_and_year
    total = sum(sub.amount for sub in office.subs if sub.year == year) if office.budgeted else None
    part = None if total is None else total // 5
    yield {
        "tahun_anggaran": year if office.budgeted else None,
        "kd_klpd": world.kd_klpd,
        "nama_klpd": names.REGENCY,
        "kd_satker": office.sirup_id,
        "kd_satker_str": office.code,
        "nama_satker": office.name,
        "belanja_operasi": part,
        "belanja_modal": None if total is None else 0 if office.sirup_id % 30 else part,
        "belanja_btt": None if total is None else 0,
        "belanja_non_pengadaan": part,
        "belanja_pengadaan": None if total is None or part is None else total - part,
        "total_belanja": total,
    }


PROVINCES = tuple((901 + number, name) for number, name in enumerate((names.PROVINCE, "Provinsi Semu", "DI Umpama")))
REGENCIES = tuple(
    (990_001 + number, PROVINCES[number % 3][0], name)
    for number, name in enumerate(
        ("Rekaan (Kab.)", "Khayal (Kab.)", "Tamsil (Kota)", "Andai (Kab.)", "Maya (Kota)", "Mimpi (Kab.)")
    )
)


def provinces(world: State, province: tuple[int, str]) -> Iterator[Row]:
    """RUP-MasterProvinsi."""
    yield {"kd_provinsi": province[0], "nama_provinsi": province[1]}


def regencies(world: State, place: tuple[int, int, str]) -> Iterator[Row]:
    """RUP-MasterKabKota."""
    yield {"kd_provinsi": place[1], "kd_kabkota": place[0], "nama_kabkota": place[2]}


def all_offices(world: State, year: int) -> list[Office]:
    """Offices and the units below them; the same in every fiscal year."""
    return world.offices + world.units


def _offices_with_year(world: State, year: int) -> list[tuple[Office, int]]:
    return [(office, year) for office in world.offices + world.units]


def _sub_activities(world: State, year: int) -> list[SubActivity]:
    return [sub for sub in world.subs if sub.year == year]


SERVICES = (
    Service("RUP-PaketPenyedia-Terumumkan", "kd_rup", "plans", bought, RUP),
    Service("RUP-PaketSwakelola-Terumumkan", "kd_rup", "plans", self_managed, SELF_MANAGED),
    Service("RUP-PaketAnggaranPenyedia", "kd_rup", "plans", budget_lines, RUP),
    Service("RUP-PaketAnggaranSwakelola", "kd_rup", "plans", budget_lines, SELF_MANAGED),
    Service("RUP-PaketPenyediaLokasi", "kd_rup", "plans", places, RUP),
    Service("RUP-PaketSwakelolaLokasi", "kd_rup", "plans", places, SELF_MANAGED),
    Service("RUP-HistoryKajiUlang", "kd_rup_baru", "plans", revisions),
    Service("RUP-MasterSatker", "kd_satker", all_offices, master_offices),
    Service("RUP-ProgramMaster", "kd_program", _programs, programs),
    Service("RUP-KegiatanMaster", "kd_kegiatan", _activities, activities),
    Service("RUP-SubKegiatanMaster", "kd_subkegiatan", _sub_activities, sub_activities),
    Service("RUP-StrukturAnggaranPD", "kd_satker", _offices_with_year, budget_structure),
    Service("RUP-MasterProvinsi", "kd_provinsi", lambda world, year: PROVINCES, provinces, yearly=False),
    Service("RUP-MasterKabKota", "kd_kabkota", lambda world, year: REGENCIES, regencies, yearly=False),
)
"""SIRUP's services."""
