"""Every real row at hand, read through `identify` and `read_row`: none refused wrongly, no field lost unseen.

The files are not part of this repository, and no row of them stands here: `JEJAK_REAL_DATA` names their folder, by
default `../shared/data` beside the repository.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.registry import SERVICES
from schemas.errors import RowError
from schemas.service import Service, read_row
from transforms.rows import identify, wire_hash

DATA = Path(os.environ.get("JEJAK_REAL_DATA") or Path(__file__).parents[2] / "shared" / "data")

# How INAPROC names the lists that it answers, and how the files of before 2023 are named.
OTHER_NAMES = {
    "ekatalog--paket-e-purchasing": "Ecat-PaketEPurchasingV6",
    "rup--history-kaji-ulang": "RUP-HistoryKajiUlang",
    "rup--master-satker": "RUP-MasterSatker",
    "rup--paket-anggaran-penyedia": "RUP-PaketAnggaranPenyedia",
    "rup--paket-anggaran-swakelola": "RUP-PaketAnggaranSwakelola",
    "rup--paket-swakelola-terumumkan": "RUP-PaketSwakelola-Terumumkan",
    "rup--program-master": "RUP-ProgramMaster",
    "rup--struktur-anggaran-pd": "RUP-StrukturAnggaranPD",
    "tender--jadwal-tahapan-non-tender": "SPSE-JadwalTahapanNonTender",
    "tender--jadwal-tahapan-tender": "SPSE-JadwalTahapanTender",
    "tender--non-tender-ekontrak-kontrak": "SPSE-NonTenderEkontrak-2Kontrak",
    "tender--non-tender-pengumuman": "SPSE-NonTenderPengumuman",
    "tender--non-tender-selesai": "SPSE-NonTenderSelesai",
    "tender--pencatatan-non-tender": "SPSE-PencatatanNonTender",
    "tender--pencatatan-non-tender-realisasi": "SPSE-PencatatanNonTenderRealisasi",
    "tender--pencatatan-swakelola": "SPSE-PencatatanSwakelola",
    "tender--pencatatan-swakelola-realisasi": "SPSE-PencatatanSwakelolaRealisasi",
    "tender--pengumuman": "SPSE-TenderPengumuman",
    "tender--peserta-tender": "SPSE-PesertaTender",
    "tender--tender-ekontrak-kontrak": "SPSE-TenderEkontrak-2Kontrak",
    "tender--tender-selesai-nilai": "SPSE-TenderSelesaiNilai",
    "master-satker": "RUP-MasterSatker",
    "satker": "RUP-MasterSatker",
    "non-tender-pengumuman": "SPSE-NonTenderPengumuman",
    "non-tender-selesai": "SPSE-NonTenderSelesai",
    "tender-pengumuman": "SPSE-TenderPengumuman",
    # Its rows name winners and amounts.
    "tender-selesai": "SPSE-TenderSelesaiNilai",
}
# Rows, rows refused, fields left out. The refused are another service's rows in a file of certificates; the fields
# left out are typing slips (the year 2204).
FOLDERS: dict[str, tuple[int, dict[str, int], dict[str, int]]] = {
    "isb-prov-kalbar-2024": (104_742, {}, {"tgl_realisasi": 8}),
    "isb-kab-bandung-2025": (24_062, {"SPSE-TenderEkontrak-4BAPBAST": 25}, {}),
    "inaproc-v1-k34": (16_142, {}, {}),
    "inaproc-legacy-kobar-2026": (480, {}, {}),
    "isb-ecat-kalbar-2022": (13_394, {}, {}),
    "isb-old-2022": (150, {}, {}),
}
# Read as nothing on purpose: empty values, zero amounts, and the codes 0 and -.
NOTHING: tuple[object, ...] = (None, "", "0", 0, "-")


def answers(folder: str) -> Iterator[tuple[Service, list[dict[str, Any]]]]:
    if not (DATA / folder).is_dir():
        pytest.skip(f"no folder of real rows ({folder}); name its parent in JEJAK_REAL_DATA")
    for path in sorted((DATA / folder).rglob("*.json")):
        name = OTHER_NAMES.get(path.stem, path.stem)
        yield SERVICES[name][1], json.loads(path.read_text(encoding="utf-8-sig"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_real_row_is_read(folder: str) -> None:
    rows_expected, refused_expected, left_out_expected = FOLDERS[folder]
    count = 0
    refused: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    unknown: set[tuple[str, str]] = set()
    lost: set[tuple[str, str]] = set()
    for service, rows in answers(folder):
        for row in rows:
            count += 1
            try:
                found = identify(service, row)
                record, dropped = read_row(service, found.fields)
            except RowError:
                refused[service.name] += 1
                continue
            left_out.update(dropped.keys())
            unknown |= {(service.name, name) for name in record.model_extra or () if name not in service.ignored}
            for name, value in found.fields.items():
                plain = value.strip("\r\n\t \u00a0\u200b") if isinstance(value, str) else value
                if plain not in NOTHING and name not in dropped and getattr(record, name.lstrip("_")) in (None, ()):
                    lost.add((service.name, name))
    assert (count, refused, left_out) == (rows_expected, refused_expected, left_out_expected)
    assert not unknown
    assert not lost


def test_budget_lines_of_every_package_add_up() -> None:
    folder = {service.name: rows for service, rows in answers("isb-prov-kalbar-2024")}
    lines: Counter[str] = Counter()
    plan, line = (SERVICES[name][1] for name in ("RUP-PaketPenyedia-Terumumkan", "RUP-PaketAnggaranPenyedia"))
    for row in folder["RUP-PaketAnggaranPenyedia"]:
        found = identify(line, row)
        lines[found.code] += getattr(read_row(line, found.fields)[0], "pagu", 0)
    packages = {found.code: found.fields["pagu"] for found in (identify(plan, row) for row in folder[plan.name])}
    assert len(packages) == 16_975
    assert {code: lines[code] for code in packages} == packages


@pytest.mark.parametrize("folder", FOLDERS)
def test_real_rows_that_come_again_as_they_came_are_one(folder: str) -> None:
    for service, rows in answers(folder):
        stamped = [{**row, **dict.fromkeys(service.stamps, "2030-01-01")} for row in rows]
        assert [wire_hash(service, row) for row in rows] == [wire_hash(service, row) for row in stamped]
        # Rows that differ on the wire may have one content; rows of one wire form never have two.
        contents: dict[bytes, str] = {}
        for row in rows:
            try:
                found = identify(service, row)
            except RowError:
                continue
            assert contents.setdefault(wire_hash(service, row), found.content_hash) == found.content_hash
