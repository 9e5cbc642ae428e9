"""The ten questions answered from a folder of raw JSON with the standard library alone, apart from Jejak's own code.

Written from what is known of the sources: one contract per attempt and number, an addendum in place of what it changes;
a recording counts until it is cancelled; a package is `kd_pkt_dce`.
"""

import json
import re
import statistics
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

Row = dict[str, Any]
STAND = {"COMPLETED", "PAYMENT_OUTSIDE_SYSTEM", "ON_PROCESS", "ON_ADDENDUM"}
CANCELLED = {"Kontrak Dibatalkan", "Paket Dibatalkan"}


def rows(folder: Path, service: str) -> list[Row]:
    path = folder / f"{service}.json"
    found: list[Row] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return found


def day(text: str | None) -> date | None:
    """The day of a stamp: `2025-01-31...` or `Jan 31, 2025, ...`."""
    if not text:
        return None
    if text[0].isalpha():
        month, number, year = re.fullmatch(r"(\w{3})\w* (\d+), (\d{4}).*", text, re.DOTALL).groups()  # type: ignore[union-attr]
        return datetime.strptime(f"{month} {number} {year}", "%b %d %Y").date()  # noqa: DTZ007
    return date.fromisoformat(text[:10])


def number(text: str | None) -> str:
    return re.sub(r"\s*([/.-])\s*", r"\1", " ".join((text or "").split())).upper()


def contracts(folder: Path) -> Iterator[tuple[str, str, Row, Row]]:
    """Channel, attempt, the first and the latest row of each contract that stands."""
    for channel, service in (("tender", "SPSE-Tender"), ("nontender", "SPSE-NonTender")):
        versions: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows(folder, f"{service}Ekontrak-2Kontrak"):
            versions[str(row[f"kd_{channel}"]), number(row["no_kontrak"])].append(row)
        for (attempt, _), found in versions.items():
            found.sort(key=lambda row: (row["versi_addendum"] or 0, str(day(row["tgl_kontrak"]))))
            if found[-1]["status_kontrak"] not in CANCELLED:
                yield channel, attempt, found[0], found[-1]


def contracted(folder: Path) -> float:
    """All that was contracted: contracts of tenders and non-tenders, orders of the e-catalogue."""
    orders = {
        str(row["kd_paket"]): row for row in rows(folder, "Ecat-PaketEPurchasingV6") if row["status_pkt"] in STAND
    }
    shops: dict[str, list[Row]] = defaultdict(list)
    for row in rows(folder, "Bela-TokoDaringRealisasi"):
        shops[str(row["order_id"])].append(row)
    bought = sum(
        row["valuasi"] or 0
        for lines in shops.values()
        for row in lines
        if (row.get("status_konfirmasi_ppmse") or "").lower() in ("berhasil", "selesai", "sukses")
        and row["tanggal_transaksi"] == max(line["tanggal_transaksi"] for line in lines)
    )
    signed = sum(latest["nilai_kontrak"] or 0 for *_, latest in contracts(folder))
    return signed + sum(row["total_harga"] or 0 for row in orders.values()) + bought


def local_content(folder: Path) -> tuple[float, float, float]:
    """Value of contracts that give the part of domestic products, that part, and that of small enterprises."""
    given = [latest for *_, latest in contracts(folder)]
    known = [row for row in given if row["nilai_pdn_kontrak"] is not None]
    return (
        sum(row["nilai_kontrak"] or 0 for row in known),
        sum(row["nilai_pdn_kontrak"] for row in known),
        sum(row["nilai_umk_kontrak"] or 0 for row in given),
    )


def recorded(folder: Path) -> tuple[float, float]:
    """total_realisasi of recordings that stand, and of those that were cancelled."""
    stand = cancelled = 0
    for service, status in (("SPSE-PencatatanNonTender", "nontender"), ("SPSE-PencatatanSwakelola", "swakelola")):
        for row in {str(row[f"kd_{status}_pct"]): row for row in rows(folder, service)}.values():
            if row[f"status_{status}_pct_ket"] in CANCELLED:
                cancelled += row["total_realisasi"] or 0
            else:
                stand += row["total_realisasi"] or 0
    return stand, cancelled


def certified(folder: Path) -> float:
    """Payment certificates of contracts, each once, up to the day of the newest row of their list."""
    seen: dict[tuple[str, ...], float] = {}
    for channel, service in (("tender", "SPSE-Tender"), ("nontender", "SPSE-NonTender")):
        papers = rows(folder, f"{service}Ekontrak-4BAPBAST")
        until = max((read for row in papers if (read := day(row.get("_event_date")))), default=date.max)
        for row in papers:
            paid = day(row.get("tgl_bap"))
            if row.get("no_kontrak") and row.get("besar_pembayaran") is not None and paid and paid <= until:
                paper = (str(row[f"kd_{channel}"]), number(row["no_kontrak"]), number(row["no_bap"]), str(paid))
                seen[(*paper, str(row["besar_pembayaran"]))] = row["besar_pembayaran"]
    return sum(seen.values())


def lead_times(folder: Path) -> dict[tuple[str, str], tuple[int, float, int, int]]:
    """By channel and method: contracts, median, p90 (nearest rank), signed before their announcement."""
    announced = {
        ("tender", str(row["kd_tender"])): (row["mtd_pemilihan"], day(row["tgl_pengumuman_tender"]))
        for row in rows(folder, "SPSE-TenderPengumuman")
    } | {
        ("nontender", str(row["kd_nontender"])): (row["mtd_pemilihan"], day(row["tgl_pengumuman_nontender"]))
        for row in rows(folder, "SPSE-NonTenderPengumuman")
    }
    days: dict[tuple[str, str], list[int]] = defaultdict(list)
    for channel, attempt, first, _ in contracts(folder):
        method, began = announced.get((channel, attempt), (None, None))
        signed = day(first["tgl_kontrak"])
        if method and began and signed:
            days[channel, method].append((signed - began).days)
    found = {}
    for key, taken in days.items():
        real = sorted(each for each in taken if each >= 0)
        found[key] = (
            len(real), statistics.median(real), real[-(-9 * len(real) // 10) - 1], len(taken) - len(real),
        )  # fmt: skip
    return found


def swakelola_share(folder: Path) -> tuple[float, float]:
    """Pagu of announced plans of self-managed work, and of all announced plans."""
    own, bought = (
        sum(row["pagu"] or 0 for row in rows(folder, f"RUP-Paket{kind}-Terumumkan") if standing(row))
        for kind in ("Swakelola", "Penyedia")
    )
    return own, own + bought


def standing(row: Row) -> bool:
    return bool(row["status_aktif_rup"]) and not row["status_delete_rup"]


def retenders(folder: Path) -> dict[str, tuple[int, int, int]]:
    """By channel: packages, attempts, packages with several attempts."""
    found = {}
    for channel, service in (("tender", "SPSE-TenderPengumuman"), ("nontender", "SPSE-NonTenderPengumuman")):
        packages: dict[str, set[str]] = defaultdict(set)
        for row in rows(folder, service):
            packages[str(row["kd_pkt_dce"])].add(str(row[f"kd_{channel}"]))
        attempts = sum(map(len, packages.values()))
        found[channel] = (len(packages), attempts, sum(len(each) > 1 for each in packages.values()))
    return found


def bidders(folder: Path) -> tuple[int, int, int, int, int]:
    """Tenders with participants, registrants, tenders with a bidder, bidders, tenders with one."""
    registered: dict[str, int] = defaultdict(int)
    bids: dict[str, set[str]] = defaultdict(set)
    for row in {
        (str(row["kd_tender"]), str(row["kd_peserta"])): row for row in rows(folder, "SPSE-PesertaTender")
    }.values():
        if row["kd_peserta"] or row["kd_penyedia"]:
            registered[str(row["kd_tender"])] += 1
            if row["nilai_penawaran"]:
                bids[str(row["kd_tender"])].add(str(row["kd_penyedia"]))
    sizes = [len(each) for each in bids.values()]
    return len(registered), sum(registered.values()), len(sizes), sum(sizes), sizes.count(1)


def savings(folder: Path) -> dict[tuple[str, str], tuple[int, float, float]]:
    """By channel and method of completed attempts: how many have HPS and a winner's price, and both sums. The price is
    that of the list of finished attempts, else of the appointment letter, else of the contract."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for channel, service, finished in (
        ("tender", "SPSE-Tender", "SPSE-TenderSelesaiNilai"),
        ("nontender", "SPSE-NonTender", "SPSE-NonTenderSelesai"),
    ):
        code = f"kd_{channel}"
        prices: dict[str, float] = {}
        for _, attempt, _, latest in contracts(folder):
            prices[attempt] = latest["nilai_kontrak"]
        letters = rows(folder, f"{service}Ekontrak-1SPPBJ")
        for row in sorted(letters, key=lambda row: -(row["versi_addendum"] or 0)):
            prices[str(row[code])] = row["harga_final"] or prices.get(str(row[code]), 0)
        for row in rows(folder, finished):
            price = row["nilai_negosiasi"] or row["nilai_terkoreksi"] or row["nilai_penawaran"]
            if price and row["kd_penyedia"]:
                prices[str(row[code])] = price
        for row in rows(folder, f"{service}Pengumuman"):
            if row[f"status_{channel}"] == "Selesai" and row["hps"] and prices.get(str(row[code])):
                found[channel, row["mtd_pemilihan"]].append((row["hps"], prices[str(row[code])]))
    return {
        key: (len(each), sum(hps for hps, _ in each), sum(price for _, price in each)) for key, each in found.items()
    }


def late_plans(folder: Path) -> tuple[int, float]:
    """Announced provider plans whose selection had ended on the day of their list, none of whose family anybody has
    begun to buy: how many, and their pagu. A family are plans that were bought together."""
    plans = {str(row["kd_rup"]): row for row in rows(folder, "RUP-PaketPenyedia-Terumumkan") if standing(row)}
    family = {code: code for code in plans}
    begun: set[str] = set()

    def head(code: str) -> str:
        while family.setdefault(code, code) != code:
            code = family[code]
        return code

    for service, field in (
        ("SPSE-TenderPengumuman", "kd_rup"),
        ("SPSE-NonTenderPengumuman", "kd_rup"),
        ("SPSE-TenderSelesai", "kd_rup"),
        ("SPSE-TenderSelesaiNilai", "kd_rup_paket"),
        ("SPSE-NonTenderSelesai", "kd_rup"),
        ("SPSE-PencatatanNonTender", "kd_rup"),
        ("Ecat-PaketEPurchasingV6", "kd_rup"),
    ):
        for row in rows(folder, service):
            named = sorted(set(re.findall(r"\d+", str(row[field] or ""))) - {"0"})
            begun |= set(named)
            for other in named[1:]:
                family[head(other)] = head(named[0])
    heads = {head(code) for code in begun}
    until = max(day(row["_event_date"]) or date.min for row in plans.values())
    late = [
        row
        for code, row in plans.items()
        if head(code) not in heads
        and (
            end.toordinal() < until.toordinal()
            if (end := day(row["tgl_akhir_pemilihan"]))
            else row["tahun_anggaran"] < until.year
        )
    ]
    return len(late), sum(row["pagu"] or 0 for row in late)


def largest_suppliers(folder: Path) -> list[float]:
    """What each of the twenty largest suppliers with a code was contracted for, the largest first."""
    winners = {
        (channel, str(row[f"kd_{channel}"]), plain(row["nama_penyedia"])): str(row["kd_penyedia"])
        for channel, service in (("tender", "SPSE-TenderSelesaiNilai"), ("nontender", "SPSE-NonTenderSelesai"))
        for row in rows(folder, service)
        if row["kd_penyedia"]
    }
    sums: dict[str, float] = defaultdict(float)
    for channel, attempt, _, latest in contracts(folder):
        code = latest.get("kd_penyedia") or winners.get((channel, attempt, plain(latest["nama_penyedia"])))
        if code:
            sums[str(code)] += latest["nilai_kontrak"] or 0
    for row in rows(folder, "Ecat-PaketEPurchasingV6"):
        if row["status_pkt"] in STAND:
            code = row["kd_penyedia_sikap"] if row["kd_penyedia_sikap"] not in (None, 0, "0") else row["kd_penyedia_v6"]
            sums[str(code)] += row["total_harga"] or 0
    return sorted(sums.values(), reverse=True)[:20]


def plain(name: str | None) -> str:
    return re.sub(r"[^0-9A-Z]+", " ", (name or "").upper()).strip()
