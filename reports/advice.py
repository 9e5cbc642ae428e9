"""What to do about a source, in a sentence of either language; made of what `reports.health` found."""

from typing import Any

from reports.reasons import LANGUAGES
from schemas.settings import Settings

_SAY = {
    "never": (
        "Belum pernah terbaca: periksa [sources.{source}] di pengaturan, lalu {again}.",
        "It was never read: check [sources.{source}] in the settings, then {again}.",
    ),
    "no lists": (
        "Foldernya tidak berisi satu pun daftarnya: periksa JEJAK_DUMPS atau foldernya, lalu {again}.",
        "Its folder holds none of its lists: look at JEJAK_DUMPS or its folder, then {again}.",
    ),
    "failed": (
        "Ikuti pesan {failed}, lalu {again}.",
        "Follow the message of {failed}, then {again}.",
    ),
    "failed with others": (
        "Ikuti pesan {failed} dan {more} layanan lagi, lalu {again}.",
        "Follow the message of {failed} and {more} more, then {again}.",
    ),
    "service never": (
        "{service} belum pernah terbaca: {again}.",
        "{service} was never read: {again}.",
    ),
    "stale": (
        "Isi foldernya per {day}, padahal tahun anggaran masih berjalan: ambil yang lebih baru (atau naikkan "
        "stale_days di [sources.{source}]), lalu {again}.",
        "Its dumps are as of {day}, and the fiscal year goes on: get newer ones (or raise stale_days in "
        "[sources.{source}]), then {again}.",
    ),
    "empty": (
        "Semua daftarnya terbaca, tetapi tanpa satu baris pun: periksa kd_klpd, kd_lpse, dan tahun anggaran di "
        "pengaturan (atau [sources.{source}]), lalu {again}.",
        "All its lists were read, and none has a row: check kd_klpd, kd_lpse and fiscal_years in the settings (or "
        "[sources.{source}]), then {again}.",
    ),
    "late": (
        "Tidak terbaca lengkap selama {hours} jam: lihat apakah jadwalnya berjalan, atau {again}.",
        "It was not read whole for {hours} hours: see that its schedule runs, or {again}.",
    ),
    "new fields": (
        "Kolomnya berbeda dari sebelumnya: petakan yang baru di schemas/{source}.py, atau abaikan.",
        "Its fields are others than they were: map the new ones in schemas/{source}.py, or leave them out.",
    ),
    "left out": (
        "{field} pada beberapa baris tidak dapat dibaca dan ditinggalkan: minta diperbaiki di sumbernya, atau baca di "
        "schemas/{source}.py.",
        "Some rows' {field} could not be read and was left out: have it mended at the source, or read it in "
        "schemas/{source}.py.",
    ),
    "emptied": (
        "{field} kini kosong padahal dahulu terisi: periksa sumbernya; mungkin nama kolomnya berubah.",
        "{field} is empty now where it was filled: look at the source; a column may have another name.",
    ),
    "unchanged": (
        "Sejak {day} barisnya tetap sama: pastikan sumbernya masih hidup.",
        "It has brought the same rows since {day}: see that it still lives.",
    ),
    "unknown codes": (
        "Ada kata yang tidak dikenal tabel kode: `jejak codes list` menyebutnya, `jejak codes give` memberinya arti.",
        "It uses words that no code table knows: `jejak codes list` names them, `jejak codes give` gives a meaning.",
    ),
    "rejects": (
        "Sebagian barisnya tidak dapat dipakai: `jejak rejects --source {source}` menyebut alasannya.",
        "Some of its rows could not be used: `jejak rejects --source {source}` lists the reasons.",
    ),
}
_AGAIN = ("jalankan `jejak sync {source}`", "run `jejak sync {source}`")


def advice(health: dict[str, Any], settings: Settings, language: str) -> str | None:
    """What to do about a source, the most pressing first; None where there is nothing."""
    found = _pressing(health, settings)
    if found is None:
        return None
    what, values = found
    at, source = LANGUAGES.index(language), health["source"]
    return _SAY[what][at].format(source=source, again=_AGAIN[at].format(source=source), **values)


def _pressing(health: dict[str, Any], settings: Settings) -> tuple[str, dict[str, Any]] | None:
    match health["state"]:
        case "never":
            return "never", {}
        case "failing":
            failed = [each["service"] for each in health["services"] if each["status"] == "failed"]
            if not failed:
                return "no lists", {}
            what = "failed with others" if len(failed) > 1 else "failed"
            return what, {"failed": failed[0], "more": len(failed) - 1}
        case "late":
            never = [f"{each['service']} {each['scope']}" for each in health["services"] if each["status"] == "never"]
            if never:
                return "service never", {"service": never[0]}
            if health["stale"]:
                return "stale", {"day": health["as_of"][:10]}
            return "late", {"hours": settings.stale_hours}
        case "empty":
            return "empty", {}
    if health["new_fields"]:
        return "new fields", {}
    if health["left_out"]:
        return "left out", {"field": health["left_out"][0]["field"]}
    if health["emptied"]:
        return "emptied", {"field": f"{health['emptied'][0]['service']}.{health['emptied'][0]['field']}"}
    if health["unchanged_since"]:
        return "unchanged", {"day": health["unchanged_since"][:10]}
    if health["unknown_codes"]:
        return "unknown codes", {}
    return ("rejects", {}) if health["rejects"] else None
