"""LPSE's services (SPSE, e-catalogue, shops): attempts, contracts and payments as rows in ISB's names and types."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from simulator import facts, names
from simulator.rendering import (
    Row,
    Service,
    clock,
    date,
    extracted,
    iso_z,
    listed,
    regency,
    spse_office,
    stamp,
    stamp_z,
)
from simulator.sirup import PROVINCES, REGENCIES, all_offices
from simulator.state import State


def _agency(world: State, attempt: facts.Attempt) -> Row:
    """The body and its office; another body on the same LPSE has an office code of its own making."""
    code, name, sort = attempt.agency
    row = {**spse_office(world, attempt.year, attempt.office), "kd_klpd": code, "nama_klpd": name, "jenis_klpd": sort}
    if sort == "BUMD":
        row |= {"kd_satker_str": "01", "nama_satker": name}
    return row


def _lpse(world: State) -> Row:
    return {"kd_lpse": int(world.kd_lpse), "nama_lpse": names.LPSE}


def _names(officials: list[facts.Official]) -> Row:
    return {
        "nip_ppk": ";".join(official.nip for official in officials) or None,
        "nama_ppk": ";".join(official.name for official in officials) or None,
    }


def _bare(supplier: facts.Supplier) -> str:
    """The tax number where a list gives 16 digits without dots, or fewer where it has none."""
    return supplier.npwp16 or supplier.npwp


# --- tenders ------------------------------------------------------------------------------------------------------


def tender_announced(world: State, attempt: facts.Attempt) -> Iterator[Row]:
    """SPSE-TenderPengumuman."""
    committee = attempt.office.officials * 3
    yield {
        "tahun_anggaran": attempt.year,
        "list_tahun_anggaran": str(attempt.year),
        **_agency(world, attempt),
        **_lpse(world),
        "kd_tender": attempt.id,
        "kd_pkt_dce": attempt.package,
        "kd_rup": listed(world, attempt.named),
        "nama_paket": attempt.title,
        "pagu": attempt.ceiling,
        "hps": attempt.estimate,
        "sumber_dana": listed(world, attempt.sources),
        "kualifikasi_paket": attempt.size,
        "jenis_pengadaan": attempt.category,
        "mtd_pemilihan": attempt.method,
        "mtd_evaluasi": attempt.evaluation,
        "mtd_kualifikasi": attempt.qualification,
        "kontrak_pembayaran": attempt.terms,
        # A fifth of the rows don't say.
        "status_tender": None if attempt.id // 1000 % 5 == 4 else attempt.status,
        "tanggal_status": date(world.today - dt.timedelta(days=1)),
        "versi_tender": attempt.version,
        "ket_ditutup": attempt.closed_note,
        "ket_diulang": None,
        "tgl_buat_paket": stamp(attempt.created),
        "tgl_kolektif_kolegial": stamp(attempt.created + dt.timedelta(hours=1)),
        "tgl_pengumuman_tender": stamp(attempt.announced),
        **_names(attempt.officials),
        "nip_pokja": ";".join(official.nip for official in committee[:3]),
        "nama_pokja": ";".join(official.name for official in committee[:3]),
        "lokasi_pekerjaan": attempt.place,
        "url_lpse": names.LPSE_URL,
        **extracted(world),
    }


def tender_done(world: State, attempt: facts.Attempt) -> Iterator[Row]:
    """SPSE-TenderSelesai: no winner here."""
    if attempt.status != facts.DONE or attempt.decided is None:
        return
    yield {
        **_agency(world, attempt),
        **_lpse(world),
        "kd_tender": attempt.id,
        "kd_pkt_dce": attempt.package,
        "kd_rup": listed(world, attempt.named),
        "nama_paket": attempt.title,
        "pagu": attempt.ceiling,
        "hps": attempt.estimate,
        "sumber_dana": listed(world, attempt.sources),
        "mak": listed(world, attempt.maks),
        "kualifikasi_paket": attempt.size,
        "jenis_pengadaan": attempt.category,
        "mtd_pemilihan": attempt.method,
        "mtd_evaluasi": attempt.evaluation,
        "mtd_kualifikasi": attempt.qualification,
        "kontrak_pembayaran": attempt.terms,
        "status_tender": attempt.status,
        "tgl_pengumuman_tender": stamp(attempt.announced),
        "tgl_penetapan_pemenang": stamp(attempt.decided),
        "url_lpse": names.LPSE_URL,
    }


def tender_values(world: State, attempt: facts.Attempt) -> Iterator[Row]:
    """SPSE-TenderSelesaiNilai: `kd_satker` is the dotted code; some still run and have no winner."""
    if attempt.status not in (facts.DONE, facts.ONGOING):
        return
    winner = attempt.winner
    supplier = winner.supplier if winner else None
    # Half of the shares of domestic and small firms are not filled in.
    shares = attempt.contract.versions[-1].value if attempt.contract and attempt.id // 1000 % 2 else None
    agency = _agency(world, attempt)
    yield {
        **{field: agency[field] for field in ("tahun_anggaran", "kd_klpd", "nama_klpd", "jenis_klpd")},
        "kd_satker": agency["kd_satker_str"],
        "nama_satker": agency["nama_satker"],
        "kd_lpse": int(world.kd_lpse),
        "kd_tender": attempt.id,
        "kd_paket": attempt.package,
        "kd_rup_paket": listed(world, attempt.named),
        "pagu": attempt.ceiling,
        "hps": attempt.estimate,
        "nilai_penawaran": winner.offer if winner else None,
        "nilai_terkoreksi": winner.offer if winner else None,
        "nilai_negosiasi": attempt.negotiated,
        "nilai_kontrak": attempt.negotiated,
        "tgl_pengumuman_tender": date(attempt.announced),
        "tgl_penetapan_pemenang": date(attempt.decided or attempt.announced + dt.timedelta(days=30)),
        "kd_penyedia": supplier.code if supplier else None,
        "nama_penyedia": supplier.name if supplier else None,
        "npwp_penyedia": supplier.npwp if supplier else None,
        "npwp_16_penyedia": supplier.npwp16 if supplier else None,
        "nilai_pdn_kontrak": shares,
        "nilai_umk_kontrak": shares,
        **extracted(world),
    }


def bidders(world: State, attempt: facts.Attempt) -> Iterator[Row]:
    """SPSE-PesertaTender: all who registered; those who bid have `nilai_penawaran`."""
    agency = _agency(world, attempt)
    for bid in attempt.bids:
        supplier = bid.supplier
        yield {
            **{field: agency[field] for field in ("tahun_anggaran", "kd_klpd", "kd_satker", "kd_satker_str")},
            "kd_lpse": int(world.kd_lpse),
            "kd_tender": attempt.id,
            "kd_pkt_dce": attempt.package,
            "kd_peserta": bid.id,
            "kd_penyedia": supplier.code if supplier else None,
            "nama_penyedia": supplier.name if supplier else None,
            "npwp_penyedia": supplier.npwp if supplier else None,
            "npwp_penyedia_16": supplier.npwp16 if supplier else None,
            "nilai_penawaran": bid.offer,
            "nilai_terkoreksi": bid.offer,
            "pemenang": int(bid is attempt.winner) if supplier else None,
            "pemenang_terverifikasi": 0 if supplier else None,
            "alasan": None,
        }


def schedule(world: State, attempt: facts.Attempt) -> Iterator[Row]:
    """SPSE-JadwalTahapanTender and -NonTender: planned stages, the last of them often in the future."""
    agency = _agency(world, attempt)
    stages: tuple[str | None, ...]
    if attempt.kind == facts.NON_TENDER:
        stages, first, gap = names.NON_TENDER_STAGES, 9100, dt.timedelta(days=2)
    elif attempt.method == "Seleksi":
        stages, first, gap = names.SELECTION_STAGES, 9200, dt.timedelta(days=3)
    else:
        stages, first, gap = names.TENDER_STAGES, 9300, dt.timedelta(days=4)
    begins = attempt.announced.replace(minute=0, second=0)
    for position, stage in enumerate(stages):
        yield {
            **{field: agency[field] for field in ("tahun_anggaran", "kd_klpd", "kd_satker", "kd_satker_str")},
            "kd_lpse": int(world.kd_lpse),
            f"kd_{attempt.kind}": attempt.id,
            "kd_tahapan": first * 10 + position,
            "nama_tahapan": stage,
            "kd_akt": first + position,
            "nama_akt": None,
            "tgl_awal": stamp(begins + gap * position),
            "tgl_akhir": stamp(begins + gap * (position + 1) - dt.timedelta(minutes=1)),
            **extracted(world),
        }


# --- contract documents, alike for tenders and non-tenders ----------------------------------------------------------


def contracted(world: State, attempt: facts.Attempt) -> Row:
    """The columns by which every contract document begins."""
    row = {
        **_agency(world, attempt),
        "alamat_satker": attempt.office.address,
        "kd_lpse": int(world.kd_lpse),
        f"kd_{attempt.kind}": attempt.id,
        "nama_paket": attempt.title,
    }
    if attempt.kind == facts.NON_TENDER:
        row["mtd_pengadaan"] = attempt.method
    return row


def _state(contract: facts.Contract | None, version: facts.Version | None) -> Row:
    """Status of the contract and of the addendum that the row stands for."""
    done_at, broken_off = (contract.done_at, contract.broken_off) if contract else (None, None)
    amended = version is not None and version.number > 0
    ended = "Pemutusan Kontrak" if broken_off else "Kontrak Selesai"
    return {
        "status_kontrak": ended if done_at else "Kontrak Sedang Berjalan",
        "tgl_penetapan_status_kontrak": iso_z(done_at) if done_at else None,
        "alasan_penetapan_status_kontrak": broken_off,
        "apakah_addendum": "Ya" if amended else "Tidak",
        "versi_addendum": version.number if version else 0,
        "alasan_addendum": version.reason if version else None,
    }


def letters(world: State, attempt: facts.Attempt) -> Iterator[Row]:
    """SPSE-(Non)TenderEkontrak-1SPPBJ; one more row for each addendum."""
    letter = attempt.letter
    if letter is None:
        return
    for version in attempt.contract.versions if attempt.contract else [None]:
        row = _letter(world, attempt, letter, version)
        yield from (dict(row) for _ in range(letter.copies))
        if letter.variant:
            yield {**row, "harga_final": letter.price + 1000}


def _letter(world: State, attempt: facts.Attempt, letter: facts.Letter, version: facts.Version | None) -> Row:
    supplier = attempt.supplier
    return {
        **contracted(world, attempt),
        "no_sppbj": letter.number,
        "lampiran_sppbj": "-" if attempt.id // 1000 % 10 else ("1 Berkas", "")[attempt.id // 10_000 % 2],
        "tgl_sppbj": iso_z(letter.at),
        "kota_sppbj": letter.town,
        **(_names(attempt.officials) if attempt.kind == facts.TENDER or attempt.id // 1000 % 14 else _names([])),
        "jabatan_ppk": attempt.officials[0].position,
        "nama_penyedia": supplier.name,
        "npwp_penyedia": supplier.npwp,
        "npwp_penyedia_16": supplier.npwp16,
        "harga_final": letter.price,
        "nilai_jaminan_pelaksanaan": letter.guarantee,
        "masa_berlaku_jaminan": letter.days,
        **_state(attempt.contract, version),
        **extracted(world),
    }


def contracts(world: State, attempt: facts.Attempt) -> Iterator[Row]:
    """SPSE-(Non)TenderEkontrak-2Kontrak: one row per version, some rows repeated, few with another content."""
    contract = attempt.contract
    if contract is None:
        return
    for version in contract.versions:
        row = _contract(world, attempt, contract, version)
        yield from (dict(row) for _ in range(contract.copies))
        if contract.variant:
            yield {**row, "alasan_ubah_nilai_kontrak": "Dibulatkan"}


def _contract(world: State, attempt: facts.Attempt, contract: facts.Contract, version: facts.Version) -> Row:
    assert attempt.letter is not None
    supplier = attempt.supplier
    tender = attempt.kind == facts.TENDER
    row: Row = {
        **contracted(world, attempt),
        "lingkup_pekerjaan": f"<p>{attempt.title}\r\n</p><p></p>" if tender else None,
        "no_sppbj": attempt.letter.number,
        "no_kontrak": version.paper or contract.number,
        "tgl_kontrak": iso_z(version.signed if version.paper else contract.signed),
        # Both repeat the day of signing; the end of the work stands in the SPMK.
        "tgl_kontrak_awal": iso_z(contract.signed) if tender else None,
        "tgl_kontrak_akhir": iso_z(contract.signed) if tender else None,
        "kota_kontrak": attempt.letter.town,
        "nip_ppk": attempt.officials[0].nip,
        "nama_ppk": attempt.officials[0].name,
        "jabatan_ppk": attempt.officials[0].position,
        "no_sk_ppk": f"800/{attempt.office.sirup_id} - {attempt.office.abbreviation}",
    }
    if tender:
        row["kd_penyedia"] = supplier.code
    row |= {
        "nama_penyedia": supplier.name,
        "npwp_penyedia": _bare(supplier) if tender else supplier.npwp,
        "npwp_16_penyedia" if tender else "npwp16_penyedia": supplier.npwp16,
        "bentuk_usaha_penyedia": supplier.form,
        "tipe_penyedia": "Penyedia Badan Usaha Non KSO" if tender else None,
        "anggota_kso": None,
        "wakil_sah_penyedia": supplier.representative,
        "jabatan_wakil_penyedia": supplier.position,
        "nama_rek_bank": supplier.bank,
        "no_rek_bank": contract.account,
        "nama_pemilik_rek_bank": f"PEMILIK {supplier.representative}" if tender else None,
        "nilai_kontrak": version.value,
        "alasan_ubah_nilai_kontrak": "" if version.value == attempt.letter.price else version.reason or "Pembulatan",
        "alasan_nilai_kontrak_10_persen": None,
        # Zero means "nothing domestic", and for one contract in six it just was not filled in.
        "nilai_pdn_kontrak": 0 if attempt.id // 1000 % 6 == 0 else version.value,
        "nilai_umk_kontrak": version.value,
        "jenis_kontrak": contract.terms,
        "informasi_lainnya": "" if tender else None,
        **_state(contract, version),
    }
    if not tender and attempt.id // 1000 % 350 == 9:
        # For some reason nobody is named.
        row |= dict.fromkeys(("nama_penyedia", "npwp_penyedia", "npwp16_penyedia", "bentuk_usaha_penyedia"))
    return row


def orders_to_start(world: State, attempt: facts.Attempt) -> Iterator[Row]:
    """SPSE-(Non)TenderEkontrak-3SPMKSPP."""
    contract = attempt.contract
    if contract is None or contract.order is None or attempt.letter is None:
        return
    supplier = attempt.supplier
    tender = attempt.kind == facts.TENDER
    length = (contract.versions[0].end - contract.start).days
    for version in contract.versions:
        row: Row = {
            **contracted(world, attempt),
            "no_sppbj": attempt.letter.number,
            "no_kontrak": version.paper or contract.number,
            **({} if tender else {"tgl_kontrak": iso_z(version.signed if version.paper else contract.signed)}),
            "no_spmk_spp": contract.order + (f"/Add.{version.number}" if version.number else ""),
            "tgl_spmk_spp": iso_z(contract.signed),
            "tgl_mulai_pekerjaan": clock(contract.start),
            "tgl_selesai_pekerjaan": clock(version.end),
            "waktu_penyelesaian": (f"{length} Hari Kalender", f"{length} (hitungan) hari kalender", f"{length} Hari")[
                length % 3
            ],
            "kota_spmk_spp": attempt.letter.town,
            "alamat_pengiriman": None if attempt.id // 1000 % 5 or tender else "JL. GUDANG REKAAN NO. 1",
            "nip_ppk": attempt.officials[0].nip,
            "nama_ppk": attempt.officials[0].name,
            "jabatan_ppk": attempt.officials[0].position,
            "nama_penyedia": supplier.name,
            "alamat_penyedia": supplier.address,
            "npwp_penyedia": _bare(supplier),
            "npwp_penyedia_16" if tender else "npwp_16_penyedia": supplier.npwp16,
            "wakil_sah_penyedia": supplier.representative,
            "jabatan_wakil_penyedia": supplier.position,
        }
        if not tender:
            row |= _state(contract, version)
        yield row | extracted(world)


def certificates(world: State, attempt: facts.Attempt) -> Iterator[Row]:
    """SPSE-(Non)TenderEkontrak-4BAPBAST; of the non-tenders one answer holds yesterday's snapshot and today's."""
    contract = attempt.contract
    if contract is None or attempt.letter is None:
        return
    supplier = attempt.supplier
    snapshots = [world.today] if attempt.kind == facts.TENDER else [world.today - dt.timedelta(days=1), world.today]
    for certificate in contract.certificates:
        row: Row = {
            **contracted(world, attempt),
            "lingkup_pekerjaan": None,
            "no_sppbj": attempt.letter.number,
            "no_kontrak": contract.number,
            "tgl_kontrak": iso_z(contract.signed),
            "nilai_kontrak": contract.versions[-1].value,
            "nip_ppk": attempt.officials[0].nip,
            "nama_ppk": attempt.officials[0].name,
            "jabatan_ppk": attempt.officials[0].position,
            "no_sk_ppk": f"800/{attempt.office.sirup_id} - {attempt.office.abbreviation}",
            "jabatan_penandatangan_sk": "" if attempt.id // 1000 % 5 == 0 else "Kepala Dinas",
            "nama_penyedia": supplier.name,
            "alamat_penyedia": supplier.address,
            "npwp_penyedia": _bare(supplier),
            "npwp_16_penyedia": supplier.npwp16,
            "wakil_sah_penyedia": None,
            "jabatan_wakil_penyedia": supplier.position,
            "no_bast": certificate.bast,
            "tgl_bast": iso_z(certificate.at) if certificate.handed_over else None,
            "no_bap": certificate.bap,
            "tgl_bap": iso_z(certificate.at),
            "besar_pembayaran": certificate.amount,
            "progres_pekerjaan": certificate.progress,
            "cara_pembayaran_kontrak": certificate.manner,
            **_state(contract, contract.versions[0]),
        }
        for snapshot in snapshots:
            yield {**row, "_event_date": date(snapshot), "_inserted_date": None}


# --- non-tenders --------------------------------------------------------------------------------------------------


def non_tender_announced(world: State, attempt: facts.Attempt) -> Iterator[Row]:
    """SPSE-NonTenderPengumuman: NIP and name in one field."""
    officials = ";".join(f"{official.nip} - {official.name}" for official in attempt.officials)
    agency = _agency(world, attempt)
    yield {
        **agency,
        "lls_id": attempt.id,
        **_lpse(world),
        "kd_nontender": attempt.id,
        "kd_pkt_dce": attempt.package,
        "kd_rup": listed(world, attempt.named),
        "nama_paket": attempt.title,
        "pagu": attempt.ceiling,
        "hps": attempt.estimate,
        "sumber_dana": listed(world, attempt.sources),
        "mak": listed(world, attempt.maks),
        "kualifikasi_paket": attempt.size,
        "jenis_pengadaan": attempt.category,
        "mtd_pemilihan": attempt.method,
        "kontrak_pembayaran": attempt.terms,
        "status_nontender": attempt.status,
        "versi_nontender": attempt.version,
        "ket_diulang": None,
        "ket_ditutup": attempt.closed_note,
        "tgl_buat_paket": stamp(attempt.created),
        "tgl_kolektif_kolegial": stamp(attempt.created + dt.timedelta(minutes=7)),
        "tgl_pengumuman_nontender": None
        if attempt.status == facts.DRAFT
        else stamp_z(attempt.announced.replace(second=0)),
        "nip_nama_ppk": None if attempt.id // 1000 % 10 == 0 else officials,
        "nip_nama_pokja": None,
        "nip_nama_pp": f"{attempt.office.officials[-1].nip} - {attempt.office.officials[-1].name}",
        "url_lpse": names.LPSE_URL,
        "repeat_order": "Ya" if attempt.repeat_order else "Tidak",
    }


def non_tender_done(world: State, attempt: facts.Attempt) -> Iterator[Row]:
    """SPSE-NonTenderSelesai: of a consolidation it names one RUP only."""
    if not attempt.finished_row or attempt.decided is None or attempt.winner is None:
        return
    supplier = attempt.supplier
    contract = attempt.contract
    value = contract.versions[-1].value if contract else None
    # Bids of one in thirty were never typed in.
    typed = attempt.id // 1000 % 30 != 7
    agency = _agency(world, attempt)
    yield {
        "tahun_anggaran": attempt.year,
        "lpse_id": int(world.kd_lpse),
        **agency,
        **_lpse(world),
        "kd_nontender": attempt.id,
        "kd_pkt_dce": attempt.package,
        "kd_rup": attempt.named[0],
        "nama_paket": attempt.title,
        "pagu": attempt.ceiling,
        "hps": attempt.estimate,
        "nilai_penawaran": attempt.winner.offer if typed else None,
        "nilai_terkoreksi": attempt.winner.offer if typed else None,
        "nilai_negosiasi": attempt.negotiated if typed else None,
        "nilai_kontrak": value,
        "nilai_pdn_kontrak": 0 if contract and attempt.id // 1000 % 6 == 0 else value,
        "nilai_umk_kontrak": value,
        "sumber_dana": listed(world, attempt.sources),
        "mak": listed(world, attempt.maks),
        "kualifikasi_paket": attempt.size,
        "jenis_pengadaan": attempt.category,
        "mtd_pemilihan": attempt.method,
        "kontrak_pembayaran": attempt.terms,
        "status_nontender": attempt.status,
        "tgl_pengumuman_nontender": stamp(attempt.announced.replace(second=0)),
        "tgl_selesai_nontender": stamp(attempt.decided),
        "kd_penyedia": supplier.code,
        "nama_penyedia": supplier.name,
        "npwp_penyedia": supplier.npwp,
        "npwp16_penyedia": supplier.npwp16,
        "url_lpse": names.LPSE_URL,
        "tgl_penarikan": date(world.today),
    }


# --- recorded purchases and self-managed work ------------------------------------------------------------------------


def _spent(recorded: facts.Recorded) -> int | None:
    return sum(payment.amount for payment in recorded.payments) or None


def recorded_purchases(world: State, recorded: facts.Recorded) -> Iterator[Row]:
    """SPSE-PencatatanNonTender."""
    yield {
        **spse_office(world, recorded.year, recorded.office),
        "kd_lpse": int(world.kd_lpse),
        "kd_nontender_pct": recorded.id,
        "kd_pkt_dce": recorded.package,
        "kd_rup": listed(world, recorded.named),
        "nama_paket": recorded.title,
        "pagu": recorded.ceiling,
        "total_realisasi": _spent(recorded),
        "nilai_pdn_pct": recorded.domestic,
        "nilai_umk_pct": recorded.small,
        "sumber_dana": listed(world, recorded.sources),
        "uraian_pekerjaan": recorded.description,
        "informasi_lainnya": None,
        "kategori_pengadaan": recorded.category,
        "mtd_pemilihan": recorded.method,
        "bukti_pembayaran": "NonSPK",
        "status_nontender_pct": "Ditutup" if recorded.state == "Paket Dibatalkan" else "Aktif",
        "status_nontender_pct_ket": recorded.state,
        "alasan_pembatalan": recorded.reason,
        **_names([recorded.official]),
        "tgl_buat_paket": iso_z(recorded.created),
        "tgl_mulai_paket": stamp(recorded.begun),
        "tgl_selesai_paket": stamp(recorded.ended),
        **extracted(world),
    }


def recorded_payments(world: State, recorded: facts.Recorded) -> Iterator[Row]:
    """SPSE-PencatatanNonTenderRealisasi: a payment is repeated for each RUP of the purchase, where these are told."""
    for payment in recorded.payments:
        for code in recorded.named[: 1 if world.bare_payments else None]:
            row = {
                **spse_office(world, recorded.year, recorded.office),
                **_lpse(world),
                "kd_nontender_pct": recorded.id,
                "kd_paket_dce": recorded.package,
                "kd_rup_paket": code,
                "nama_paket": recorded.title,
                "pagu": recorded.ceiling,
                "jenis_realisasi": payment.type,
                "no_realisasi": payment.number,
                "tgl_realisasi": iso_z(payment.at),
                "nilai_realisasi": payment.amount,
                "dok_realisasi": payment.document,
                "ket_realisasi": payment.note,
                "nama_penyedia": payment.payee[0] if payment.payee else None,
                "npwp_penyedia": payment.payee[1] if payment.payee else None,
                **_names([recorded.official]),
                **extracted(world),
            }
            if world.bare_payments:
                for field in ("kd_rup_paket", "kd_paket_dce", "nama_paket", "pagu", "nama_satker"):
                    del row[field]
            yield row


def self_managed_work(world: State, recorded: facts.Recorded) -> Iterator[Row]:
    """SPSE-PencatatanSwakelola: here `kd_satker` is SIRUP's, as text."""
    kind = recorded.self_managed_type
    yield {
        **spse_office(world, recorded.year, recorded.office),
        "kd_satker": str(recorded.office.sirup_id),
        "kd_rup": listed(world, recorded.named),
        "kd_lpse": int(world.kd_lpse),
        "kd_swakelola_pct": recorded.id,
        "kd_pkt_dce": recorded.package,
        "nama_paket": recorded.title,
        "pagu": recorded.ceiling,
        "total_realisasi": _spent(recorded),
        "nilai_pdn_pct": 0,
        "nilai_umk_pct": 0,
        "sumber_dana": listed(world, recorded.sources),
        "uraian_pekerjaan": recorded.description,
        "informasi_lainnya": None,
        "tipe_swakelola": kind,
        "tipe_swakelola_nama": f"Tipe {kind}" if kind else None,
        "status_swakelola_pct": "Ditutup" if recorded.state == "Paket Dibatalkan" else "Aktif",
        "status_swakelola_pct_ket": recorded.state,
        "alasan_pembatalan": recorded.reason,
        **_names([recorded.official]),
        "tgl_buat_paket": stamp(recorded.created.replace(microsecond=0)),
        "tgl_mulai_paket": stamp(recorded.begun),
        "tgl_selesai_paket": stamp(recorded.ended),
        **extracted(world),
    }


def self_managed_payments(world: State, recorded: facts.Recorded) -> Iterator[Row]:
    """SPSE-PencatatanSwakelolaRealisasi: `nip_ppk` is an int of 18 digits, more than a float can hold."""
    for payment in recorded.payments:
        yield {
            "tahun_anggaran": recorded.year,
            "kd_klpd": world.kd_klpd,
            "kd_satker": str(recorded.office.sirup_id),
            "kd_lpse": int(world.kd_lpse),
            "kd_swakelola_pct": recorded.id,
            "jenis_realisasi": payment.type,
            "no_realisasi": payment.number,
            "tgl_realisasi": stamp(payment.at),
            "nilai_realisasi": payment.amount,
            "dok_realisasi": payment.document,
            "ket_realisasi": payment.note,
            "nama_pelaksana": payment.payee[0] if payment.payee else None,
            "npwp_pelaksana": payment.payee[1] if payment.payee else None,
            "nip_ppk": int(recorded.official.nip),
            "nama_ppk": recorded.official.name,
            **extracted(world),
        }


# --- e-catalogue and online shops ------------------------------------------------------------------------------------


def catalogue_orders(world: State, order: facts.Order) -> Iterator[Row]:
    """Ecat-PaketEPurchasingV6: one row per order."""
    yield {
        "tahun_anggaran": order.year,
        "jenis_instansi": "KABUPATEN",
        "nama_instansi": names.REGENCY,
        "nama_satker": order.office.name,
        "kd_klpd": world.kd_klpd,
        "kd_satker_str": order.office.code,
        "kd_paket": order.id,
        "kd_rup": listed(world, order.named, ","),
        "rup_nama_pkt": order.title,
        "product_ids": listed(world, [product for product, _, _ in order.products], ","),
        "sumber_dana": listed(world, order.sources, ","),
        "mak": listed(world, order.maks, ", "),
        "kd_penyedia_v6": order.supplier.ulid,
        "kd_penyedia_sikap": order.supplier.sikap,
        "jml_jenis_produk": len(order.products),
        "jml_produk": sum(quantity for _, quantity, _ in order.products),
        "ongkir": order.shipping,
        "total_harga": order.total,
        "tgl_order": date(order.at),
        "status_pkt": order.status,
        "status_pengiriman": order.delivery,
    }


def old_catalogue_orders(world: State, order: facts.Order) -> Iterator[Row]:
    """Ecat-PaketEPurchasing (v5): one row per product."""
    number = int(order.id)
    official = order.office.officials[0]
    for product, quantity, price in order.products:
        yield {
            "tahun_anggaran": order.year,
            "kd_klpd": world.kd_klpd,
            "satker_id": order.office.sirup_id,
            "nama_satker": order.office.name,
            "alamat_satker": order.office.address,
            "npwp_satker": f"99{order.office.sirup_id:013d}",
            "kd_paket": number,
            "no_paket": f"REK-P{order.year % 100}-{number}",
            "nama_paket": order.title,
            "kd_rup": int(order.named[0]),
            "nama_sumber_dana": listed(world, order.sources, ","),
            "kode_anggaran": listed(world, order.maks, ", "),
            "kd_komoditas": 99_000 + number % 50,
            "kd_produk": int(product),
            "kd_paket_produk": int(product) + 1_000_000,
            "kd_penyedia": order.supplier.code % 1_000_000,
            "kd_penyedia_distributor": order.supplier.code % 1_000_000 + 1,
            "jml_jenis_produk": len(order.products),
            "kuantitas": quantity,
            "harga_satuan": price,
            "ongkos_kirim": 0,
            "total_harga": quantity * price,
            "kd_user_pokja": 990_000 + number % 100,
            "email_user_pokja": f"{official.account}@rekaankab.example",
            "no_telp_user_pokja": f"0899{number:08d}",
            "kd_user_ppk": 991_000 + number % 100,
            "ppk_nip": official.nip,
            "jabatan_ppk": official.position,
            "deskripsi": "",
            "catatan_produk": None,
            "tanggal_buat_paket": date(order.at),
            "tanggal_edit_paket": date(order.at + dt.timedelta(days=2)),
            "status_paket": "paket_selesai" if order.delivery == "COMPLETED" else "proses_kontrak_ppk",
            "paket_status_str": "Paket Selesai" if order.delivery == "COMPLETED" else "Paket Proses",
            **extracted(world),
        }


def shop_orders(world: State, order: facts.ShopOrder) -> Iterator[Row]:
    """Bela-TokoDaringRealisasi: the same row up to a dozen times; no RUP."""
    row: Row = {
        "tahun": order.year,
        "kd_klpd": world.kd_klpd,
        "nama_klpd": names.REGENCY,
        "kd_satker": str(order.office.sirup_id),
        "nama_satker": order.office.name,
        "order_id": order.id,
        "order_desc": None,
        "valuasi": order.amount,
        "kategori": None,
        "metode_bayar": "transfer",
        "tanggal_transaksi": stamp(order.at),
        "marketplace": "pasar rekaan",
        "merchant_name": None,
        "jenis_transaksi": "bela",
        "kota_kab": "Rekaan (Kab.)",
        "provinsi": names.PROVINCE,
        "nama_pemesan": order.official.name,
        "status_verif": "verified",
        "sumber_data": "api_v3",
        "status_konfirmasi_ppmse": "gagal" if order.failed else "selesai",
        "keterangan_ppmse": order.failed,
    }
    yield from (dict(row) for _ in range(order.copies))


def catalogue_offices(world: State, office: facts.Office) -> Iterator[Row]:
    """Ecat-InstansiSatker: offices as e-catalogue knows them, some of them twice, with a legacy code or none."""
    row = {**regency(world, 0), "kd_satker": office.sirup_id, "kd_satker_str": office.code, "nama_satker": office.name}
    del row["tahun_anggaran"]
    yield row
    number = office.sirup_id // 10 % 100
    if number % 2 == 0:
        legacy = (None, f"9. 20. {number:02d}", f"9.20.{number:02d}")[number % 3]
        yield {**row, "kd_satker": office.sirup_id + 8_000_000, "kd_satker_str": legacy}


def catalogue_regencies(world: State, place: tuple[int, int, str]) -> Iterator[Row]:
    """Ecat-MasterKabKota: other codes than SIRUP's for the same places."""
    code, province, name = place
    plain, _, sort = name.rstrip(")").partition(" (")
    title = "Kota" if sort == "Kota" else "Kabupaten"
    yield {"kd_kabupaten": code - 980_000, "kd_provinsi": province + 9_000, "nama_kabupaten": f"{title} {plain}"}


def catalogue_provinces(world: State, province: tuple[int, str]) -> Iterator[Row]:
    """Ecat-MasterProvinsi."""
    yield {"kd_provinsi": province[0] + 9_000, "nama_provinsi": province[1]}


SERVICES = (
    Service("SPSE-TenderPengumuman", "kd_tender", "attempts", tender_announced, facts.TENDER),
    Service("SPSE-TenderSelesai", "kd_tender", "attempts", tender_done, facts.TENDER),
    Service("SPSE-TenderSelesaiNilai", "kd_tender", "attempts", tender_values, facts.TENDER),
    Service("SPSE-PesertaTender", "kd_tender", "attempts", bidders, facts.TENDER),
    Service("SPSE-JadwalTahapanTender", "kd_tender", "attempts", schedule, facts.TENDER),
    Service("SPSE-TenderEkontrak-1SPPBJ", "kd_tender", "attempts", letters, facts.TENDER),
    Service("SPSE-TenderEkontrak-2Kontrak", "kd_tender", "attempts", contracts, facts.TENDER),
    Service("SPSE-TenderEkontrak-3SPMKSPP", "kd_tender", "attempts", orders_to_start, facts.TENDER),
    Service("SPSE-TenderEkontrak-4BAPBAST", "kd_tender", "attempts", certificates, facts.TENDER),
    Service("SPSE-NonTenderPengumuman", "kd_nontender", "attempts", non_tender_announced, facts.NON_TENDER),
    Service("SPSE-NonTenderSelesai", "kd_nontender", "attempts", non_tender_done, facts.NON_TENDER),
    Service("SPSE-JadwalTahapanNonTender", "kd_nontender", "attempts", schedule, facts.NON_TENDER),
    Service("SPSE-NonTenderEkontrak-1SPPBJ", "kd_nontender", "attempts", letters, facts.NON_TENDER),
    Service("SPSE-NonTenderEkontrak-2Kontrak", "kd_nontender", "attempts", contracts, facts.NON_TENDER),
    Service("SPSE-NonTenderEkontrak-3SPMKSPP", "kd_nontender", "attempts", orders_to_start, facts.NON_TENDER),
    Service("SPSE-NonTenderEkontrak-4BAPBAST", "kd_nontender", "attempts", certificates, facts.NON_TENDER),
    Service("SPSE-PencatatanNonTender", "kd_nontender_pct", "recorded", recorded_purchases, facts.RECORDED),
    Service("SPSE-PencatatanNonTenderRealisasi", "kd_nontender_pct", "recorded", recorded_payments, facts.RECORDED),
    Service("SPSE-PencatatanSwakelola", "kd_swakelola_pct", "recorded", self_managed_work, facts.RECORDED_SELF),
    Service(
        "SPSE-PencatatanSwakelolaRealisasi", "kd_swakelola_pct", "recorded", self_managed_payments, facts.RECORDED_SELF
    ),
    Service("Ecat-PaketEPurchasingV6", "kd_paket", "orders", catalogue_orders),
    Service("Ecat-PaketEPurchasing", "kd_paket", "old_orders", old_catalogue_orders),
    Service("Bela-TokoDaringRealisasi", "order_id", "shop_orders", shop_orders),
    Service("Ecat-InstansiSatker", "kd_satker", all_offices, catalogue_offices),
    Service("Ecat-MasterKabKota", "kd_kabupaten", lambda world, year: REGENCIES, catalogue_regencies, yearly=False),
    Service("Ecat-MasterProvinsi", "kd_provinsi", lambda world, year: PROVINCES, catalogue_provinces, yearly=False),
)
"""LPSE's services."""
