"""What e-musrenbang's and SIMPEN's people hand over: workbooks and CSV files under headings of their own."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl

from simulator.rendering import Row
from simulator.world import World

DROPS: dict[str, tuple[str, dict[str, str]]] = {
    "Musrenbang-Usulan": (
        "Daftar Usulan Musrenbang.xlsx",
        {
            "id_usulan": "No. Usulan", "tahun_anggaran": "Tahun", "giat_teks": "Usulan Kegiatan",
            "masalah": "Permasalahan", "tujuan_usul": "Tujuan", "detail_camatteks": "Kecamatan",
            "detail_lurahteks": "Desa/Kelurahan", "alamat_teks": "Alamat Lokasi", "lokus_usulan": "Lokus",
            "pengusul": "Pengusul", "nama_skpd_awal": "OPD Awal", "nama_skpd": "OPD Tujuan", "kode_skpd": "Kode OPD",
            "anggaran": "Anggaran (Rp)", "volume": "Volume", "satuan": "Satuan",
            "rekom_tapd_anggaran": "Rekomendasi TAPD (Rp)", "status_usul_teks": "Status", "is_batal": "Batal",
            "is_tolak": "Ditolak", "detail_latpeta": "Lintang", "detail_langpeta": "Bujur",
            "id_sub_bl": "Kode Sub Kegiatan", "tanggal_usul": "Tanggal Usul",
        },
    ),
    "Musrenbang-Pokir": (
        "Pokok Pikiran DPRD.csv",
        {
            "id_usulan": "ID Pokir", "tahun_anggaran": "Tahun", "giat_teks": "Uraian", "masalah": "Masalah",
            "detail_camatteks": "Kecamatan", "detail_lurahteks": "Desa", "alamat_teks": "Alamat",
            "pengusul": "Fraksi", "nama_skpd_awal": "OPD Awal", "nama_skpd": "OPD", "kode_skpd": "Kode OPD",
            "anggaran": "Anggaran", "rekom_tapd_anggaran": "Disetujui", "status_usul_teks": "Status",
            "id_sub_bl": "Sub Kegiatan", "tanggal_usul": "Tanggal",
        },
    ),
    "SIMPEN-Pekerjaan": (
        "Rekap Pekerjaan.xlsx",
        {
            "pekerjaan_id": "ID", "tahun": "TA", "kode_rup": "Kode RUP", "nama_pekerjaan": "Nama Pekerjaan",
            "kd_satker": "Kode Satker", "nama_satker": "Satker", "nomor_kontrak": "No. Kontrak",
            "tanggal_kontrak": "Tgl. Kontrak", "nilai_kontrak": "Nilai Kontrak (Rp)", "nama_penyedia": "Penyedia",
            "npwp_penyedia": "NPWP", "nomor_spmk": "No. SPMK", "tgl_spmk": "Tgl. SPMK", "tgl_mc0": "MC-0",
            "nomor_pho": "No. PHO", "tgl_pho": "Tgl. PHO", "nomor_fho": "No. FHO", "tgl_fho": "Tgl. FHO",
            "tanggal_selesai": "Selesai", "kecamatan": "Kecamatan", "desa": "Desa", "latitude": "Lat",
            "longitude": "Long", "nilai_adendum": "Nilai Adendum", "tanggal_adendum": "Tgl. Adendum",
            "status": "Keterangan",
        },
    ),
    "SIMPEN-Progres": (
        "Progres Mingguan.csv",
        {
            "pekerjaan_id": "ID Pekerjaan", "tanggal_pelaksanaan": "Tanggal", "nomor_pelaksanaan": "Minggu Ke",
            "tahun": "TA", "rencana_fisik": "Rencana Fisik (%)", "realisasi_fisik": "Realisasi Fisik (%)",
            "deviasi_fisik": "Deviasi", "rencana_keuangan": "Rencana Keuangan (%)",
            "realisasi_keuangan": "Realisasi Keuangan (%)", "deviasi_keuangan": "Deviasi Keuangan",
            "permasalahan": "Masalah", "tindakan": "Tindak Lanjut", "persentase": "Persentase",
        },
    ),
    "SIMPEN-Dokumentasi": (
        "Dokumentasi.csv",
        {
            "pekerjaan_id": "ID Pekerjaan", "url": "Tautan", "tahun": "TA", "judul": "Judul", "jenis": "Jenis",
            "tanggal": "Tanggal", "latitude": "Lat", "longitude": "Long", "keterangan": "Keterangan",
        },
    ),
}  # fmt: skip
"""Service -> the file's name, and our field -> the file's heading (as `file` and `columns` of its settings)."""

_DATES = frozenset({"tanggal_usul", "tanggal_kontrak", "tgl_spmk", "tgl_mc0", "tgl_pho", "tgl_fho", "tanggal_selesai"})
_AMOUNTS = frozenset({"anggaran", "rekom_tapd_anggaran", "nilai_kontrak", "nilai_adendum"})
# One report in forty holds a photo's slot instead of a percentage, and one in forty holds what is none.
_SLOT_EVERY, _BROKEN_EVERY = 40, 40
_BROKEN = ("#REF!", "empat puluh", "145%")


def write_drops(world: World, folder: Path, year: int | None = None) -> dict[str, int]:
    """Write the files of `DROPS` into the folder; returns service -> number of rows.

    Dates have the day first, amounts and percentages are text as Indonesians type it; of the weekly reports a few hold
    a photo's slot (1 to 4) for a percentage, and a few what is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = {}
    for service, (file, columns) in DROPS.items():
        rows = [_typed(row) for row in world.rows(service, year)]
        if service == "SIMPEN-Progres":
            rows = [_spoilt(row, position) for position, row in enumerate(rows)]
        table: list[list[object]] = [list(columns.values())]
        table += [[row.get(field) for field in columns] for row in rows]
        (_write_workbook if file.endswith(".xlsx") else _write_csv)(folder / file, table)
        counts[service] = len(rows)
    return counts


def _typed(row: Row) -> Row:
    typed = dict(row)
    for field, value in row.items():
        if value is None:
            continue
        if field in _DATES:
            year, month, day = value.split("-")
            typed[field] = f"{day}/{month}/{year}"
        elif field in _AMOUNTS:
            whole, _, rest = f"{value:,.2f}".partition(".")
            typed[field] = f"Rp {whole.replace(',', '.')},{rest}"
    return typed


def _spoilt(row: Row, position: int) -> Row:
    if position % _SLOT_EVERY == 7:
        return {
            **row,
            "realisasi_fisik": None,
            "deviasi_fisik": None,
            "persentase": str(position // _SLOT_EVERY % 4 + 1),
        }
    if position % _BROKEN_EVERY == 19:
        return {**row, "realisasi_fisik": _BROKEN[position // _BROKEN_EVERY % len(_BROKEN)]}
    return {**row, "realisasi_fisik": f"{row['realisasi_fisik']} %" if position % 3 == 0 else row["realisasi_fisik"]}


def _write_csv(path: Path, table: list[list[object]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        # A comma stands within the numbers.
        csv.writer(file, delimiter=";").writerows(table)


def _write_workbook(path: Path, table: list[list[object]]) -> None:
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("Sheet1")
    for row in table:
        sheet.append(row)
    workbook.save(path)
