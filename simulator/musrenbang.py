"""e-musrenbang's services: proposals of villages and of councillors as rows in SIPD's field names."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.facts import Office, Proposal
from simulator.local import POKIR, USULAN
from simulator.rendering import Row, Service, date
from simulator.state import State

LEVELS = ("lurah", "camat", "skpd", "mitra", "tapd")


def office_code(office: Office) -> str | None:
    """The code of the office here; one office in eight was entered by its name alone."""
    return None if office.sirup_id // 10 % 8 == 5 else office.code


def office_name(office: Office) -> str:
    """The office's name as it is typed here."""
    return office.name.title() if office.sirup_id // 10 % 3 else office.name


def proposals(world: State, proposal: Proposal) -> Iterator[Row]:
    """Musrenbang-Usulan and Musrenbang-Pokir."""
    if proposal.absent:
        return
    number, words = proposal.status
    row: Row = {
        "id_usulan": proposal.id,
        "tahun_anggaran": proposal.year,
        "giat_teks": proposal.title,
        "masalah": proposal.problem,
        "tujuan_usul": proposal.aim,
        "bidang_urusan": "Infrastruktur dan Kewilayahan",
        "id_kecamatan": proposal.need.village.district_code,
        "id_kelurahan": proposal.need.village.code if proposal.id % 10 else None,
        "detail_camatteks": proposal.need.village.district,
        "detail_lurahteks": proposal.village,
        "alamat_teks": proposal.address,
        "lokus_usulan": proposal.locus,
        "pengusul": proposal.proposer,
        "level_pengusul": proposal.level,
        "nama_skpd_awal": office_name(proposal.former_office),
        "nama_skpd": office_name(proposal.office),
        "kode_skpd": office_code(proposal.office),
        "anggaran": proposal.amount,
        "koefisien": f"{proposal.volume} {proposal.unit}",
        "satuan": proposal.unit,
        "volume": proposal.volume,
    }
    for position, level in enumerate(LEVELS):
        amount, finding = proposal.findings[position] if position < len(proposal.findings) else (None, None)
        row |= {
            f"rekom_{level}_anggaran": amount,
            f"rekom_{level}_koefisien": row["koefisien"] if amount else None,
            f"rekom_{level}_rekomendasi": finding,
        }
    latitude, longitude = proposal.coordinates or (None, None)
    files = f"https://musrenbang.rekaankab.example/berkas/{proposal.kind}-{proposal.id}"
    yield row | {
        "status_usul": number,
        "status_usul_teks": words,
        "is_batal": int(proposal.cancelled is not None),
        "batal_teks": proposal.cancelled,
        "is_tolak": int(proposal.refused is not None),
        "tolak_teks": proposal.refused,
        "is_verif": int(number == 5),
        "detail_latpeta": latitude,
        "detail_langpeta": longitude,
        "file_foto": f"{files}.jpg" if proposal.id % 3 else None,
        "file_proposal": f"{files}.pdf",
        "file_rab": f"{files}-rab.xlsx" if proposal.id % 4 == 0 else None,
        "id_sub_bl": proposal.sub_activity,
        "tanggal_usul": date(proposal.at),
    }


SERVICES = (
    Service("Musrenbang-Usulan", "id_usulan", "proposals", proposals, USULAN, key=("id_usulan",)),
    Service("Musrenbang-Pokir", "id_usulan", "proposals", proposals, POKIR, key=("id_usulan",)),
)
"""e-musrenbang's services."""
