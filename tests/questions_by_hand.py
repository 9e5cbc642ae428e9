"""The ten questions answered from a folder of raw JSON with the standard library alone, apart from Jejak's own code.

Written from what is known of the sources and from what the questions say of themselves, by somebody who had written
neither their queries nor the views below them, nor read them yet. Where the two differed, one was mended, or the
question now says more.
"""

import json
import math
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

Row = dict[str, Any]
CHANNELS = {"tender": "SPSE-Tender", "nontender": "SPSE-NonTender"}
TAX_NUMBERS = ("npwp_penyedia", "npwp16_penyedia", "npwp_16_penyedia", "npwp_penyedia_16")


class Folder:
    """A folder of answers, with what several questions need of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.attempts = self._attempts()
        self.plans = {text(row["kd_rup"]): row for row in self.rows("RUP-PaketPenyedia-Terumumkan")}
        self.by_number, self.by_name = self._supplier_codes()
        self.contracts = list(self._contracts())
        self.orders = list(self._orders())
        self.recordings = list(self._recordings())

    def rows(self, service: str) -> list[Row]:
        return rows(self.folder, service)

    def _attempts(self) -> dict[tuple[str, str], Row]:
        """Announced or finished attempts, by channel and code: the first list that fills a field tells it."""
        found: dict[tuple[str, str], Row] = {}
        for channel, service in CHANNELS.items():
            for name in (f"{service}Pengumuman", f"{service}Selesai", f"{service}SelesaiNilai"):
                for row in self.rows(name):
                    attempt = found.setdefault((channel, text(row[f"kd_{channel}"])), {})
                    aliases = {"kd_pkt_dce": row.get("kd_paket"), "kd_rup": row.get("kd_rup_paket")}
                    for field, value in (*row.items(), *aliases.items()):
                        if text(value) and not text(attempt.get(field)):
                            attempt[field] = value
        return found

    def _supplier_codes(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        """The codes (kd_penyedia) that go with each tax number and with each name."""
        numbers, names = defaultdict(set), defaultdict(set)
        for name in ("NonTenderSelesai", "TenderSelesaiNilai", "PesertaTender", "TenderEkontrak-2Kontrak"):
            for row in self.rows(f"SPSE-{name}"):
                if code := text(row.get("kd_penyedia")):
                    names[text(row["nama_penyedia"]).lower()].add(code)
                    for number in tax_numbers(row):
                        numbers[number].add(code)
        return numbers, names

    def supplier(self, row: Row) -> str | None:
        """Known by its code, reached from a number or a name that goes with one alone, else by its name."""
        name = text(row.get("nama_penyedia")).lower()
        reached = [self.by_number.get(number, set()) for number in tax_numbers(row)] + [self.by_name.get(name, set())]
        alone = [next(iter(codes)) for codes in reached if len(codes) == 1]
        return text(row.get("kd_penyedia")) or next(iter(alone), None) or name or None

    def _contracts(self) -> Iterator[Row]:
        """Those that stand, one per attempt and number; an addendum stands in place of what it changes. A contract
        stands though its attempt was closed as failed afterwards. Whom it doesn't name, its letter or the winner tells.
        """
        for channel, service in CHANNELS.items():
            letters = {text(row[f"kd_{channel}"]): row for row in self.rows(f"{service}Ekontrak-1SPPBJ")}
            latest: dict[tuple[str, str], Row] = {}
            for row in self.rows(f"{service}Ekontrak-2Kontrak"):
                key = text(row[f"kd_{channel}"]), text(row["no_kontrak"])
                if key not in latest or row["versi_addendum"] > latest[key]["versi_addendum"]:
                    latest[key] = row
            for (code, number), row in latest.items():
                attempt = self.attempts.get((channel, code), {})
                if "batal" not in text(row["status_kontrak"]).lower():
                    yield {
                        "channel": channel,
                        "code": code,
                        "number": number,
                        "attempt": attempt,
                        "year": int(row["tahun_anggaran"]),
                        "office": text(row["kd_satker_str"]),
                        "value": row["nilai_kontrak"] or 0,
                        "supplier": next(filter(None, map(self.supplier, (row, letters.get(code, {}), attempt))), None),
                        "signed": day(row["tgl_kontrak"]),
                        "local": row["nilai_pdn_kontrak"],
                        "micro": row["nilai_umk_kontrak"],
                    }

    def _orders(self) -> Iterator[Row]:
        """Orders of the e-catalogue that stand. None of the real orders in an online shop was confirmed."""
        for row in self.rows("Ecat-PaketEPurchasingV6"):
            if not re.match("CANCEL|WAITING|ON_NEGOTIATION", row["status_pkt"]):
                yield {
                    "year": int(row["tahun_anggaran"]),
                    "office": text(row["kd_satker_str"]),
                    "value": row["total_harga"] or 0,
                    "supplier": next(iter(codes(row["kd_penyedia_sikap"])), row["kd_penyedia_v6"]),
                    "plans": codes(row["kd_rup"]),
                }
        assert all(row["status_konfirmasi_ppmse"] == "gagal" for row in self.rows("Bela-TokoDaringRealisasi"))

    def _recordings(self) -> Iterator[Row]:
        for channel, service, stem in (
            ("pencatatan", "SPSE-PencatatanNonTender", "nontender"),
            ("swakelola", "SPSE-PencatatanSwakelola", "swakelola"),
        ):
            for row in self.rows(service):
                yield {
                    "channel": channel,
                    "stands": row[f"status_{stem}_pct_ket"] != "Paket Dibatalkan",
                    "year": int(row["tahun_anggaran"]),
                    "office": text(row["kd_satker_str"]),
                    "amount": row["total_realisasi"],
                    "local": row["nilai_pdn_pct"],
                    "micro": row["nilai_umk_pct"],
                    "plans": codes(row["kd_rup"]),
                }


def rows(folder: Path, service: str) -> list[Row]:
    path = folder / f"{service}.json"
    found: list[Row] = json.loads(path.read_text(encoding="utf-8-sig")) if path.is_file() else []
    return found


def text(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split())


def codes(value: Any) -> set[str]:
    return {code for code in re.findall(r"\d+", text(value)) if code != "0"}


def day(value: Any) -> date | None:
    found = re.match(r"(\d{4})-(\d\d)-(\d\d)", text(value))
    return date(*map(int, found.groups())) if found else None


def tax_numbers(row: Row) -> list[str]:
    """In their form of 15 digits."""
    digits = (re.sub(r"\D", "", text(row.get(field))) for field in TAX_NUMBERS)
    return [number[-15:] for number in digits if len(number) in (15, 16) and number.strip("0")]


def suppliers(folder: Folder) -> list[tuple[int, int, float]]:
    """1. Fiscal year, contracts and orders, contracted amount, of each supplier."""
    sums: dict[tuple[int, str | None], list[float]] = defaultdict(list)
    for each in (*folder.contracts, *folder.orders):
        sums[each["year"], each["supplier"]].append(each["value"])
    return [(year, len(values), sum(values)) for (year, _), values in sums.items()]


def splitting(folder: Folder) -> list[tuple[int, date, date, int, float, float]]:
    """2. Fiscal year, first and last day, contracts, total and threshold of each group."""
    kinds: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for each in folder.contracts:
        attempt = each["attempt"]
        # Segments 7 to 12 of `mak`; the first in order where it names several.
        segments = [part.strip(" .").split(".")[6:12] for part in re.split("[;,]", text(attempt.get("mak")))]
        accounts = sorted(".".join(found) for found in segments if len(found) == 6)
        if (
            each["channel"] == "nontender"
            and attempt.get("mtd_pemilihan") == "Pengadaan Langsung"
            and accounts
            and each["supplier"]
            and each["signed"]
        ):
            kind = text(attempt["jenis_pengadaan"])
            works = "Konstruksi" in kind and each["signed"] >= date(2025, 4, 30)
            limit = 100e6 if "Konsultansi" in kind else 400e6 if works else 200e6
            if each["value"] <= limit:
                key = each["year"], each["office"], each["supplier"], accounts[0], kind, limit
                kinds[key].append(each)
    found = []
    for (year, *_, limit), alike in kinds.items():
        groups: list[list[Row]] = []
        for each in sorted(alike, key=lambda each: each["signed"]):
            if groups and (each["signed"] - groups[-1][-1]["signed"]).days <= 30:
                groups[-1].append(each)
            else:
                groups.append([each])
        for group in groups:
            total = sum(each["value"] for each in group)
            if len(group) > 1 and total > limit:
                found.append((year, group[0]["signed"], group[-1]["signed"], len(group), total, limit))
    return found


def lead_times(folder: Folder) -> dict[tuple[int, str, str], tuple[int, float, int, int, int]]:
    """3. By year, channel and method: contracts, median, p90 by the nearest rank, signed before their announcement,
    without one of the days."""
    days: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    without: Counter[tuple[int, str, str]] = Counter()
    for each in folder.contracts:
        attempt = each["attempt"]
        key = each["year"], each["channel"], attempt["mtd_pemilihan"]
        announced = day(attempt.get(f"tgl_pengumuman_{each['channel']}"))
        if announced and each["signed"]:
            days[key].append((each["signed"] - announced).days)
        else:
            without[key] += 1
    found = {}
    for key, taken in days.items():
        real = sorted(each for each in taken if each >= 0)
        p90 = real[math.ceil(0.9 * len(real)) - 1]
        found[key] = (len(real), statistics.median(real), p90, len(taken) - len(real), without[key])
    return found


def savings(folder: Folder) -> dict[tuple[int, str, str], tuple[int, float, float, int, int]]:
    """4. By year, channel and method of completed attempts: those with HPS and a price, both sums, those priced above
    the HPS, those without one of the two. The price is that of the list of finished attempts, else of the letter."""
    letters = {
        (channel, text(row[f"kd_{channel}"])): row["harga_final"]
        for channel, service in CHANNELS.items()
        for row in original_last(folder.rows(f"{service}Ekontrak-1SPPBJ"))
    }
    pairs: dict[tuple[int, str, str], list[tuple[float, float]]] = defaultdict(list)
    for (channel, code), row in folder.attempts.items():
        if row.get(f"status_{channel}") == "Selesai":
            price = row.get("nilai_negosiasi") or row.get("nilai_terkoreksi") or row.get("nilai_penawaran")
            key = int(row["tahun_anggaran"]), channel, row["mtd_pemilihan"]
            pairs[key].append((row.get("hps") or 0, price or letters.get((channel, code)) or 0))
    found = {}
    for key, each in pairs.items():
        known = [(hps, price) for hps, price in each if hps and price]
        estimated, priced = (sum(column) for column in zip(*known, strict=True))
        above = sum(price > hps for hps, price in known)
        found[key] = (len(known), estimated, priced, above, len(each) - len(known))
    return found


def original_last(letters: list[Row]) -> list[Row]:
    """The letter before any addendum last, so that it is the one that is kept."""
    return sorted(letters, key=lambda row: -(row["versi_addendum"] or 0))


def realised(folder: Folder) -> dict[tuple[int, str], tuple[float, float, float, int, int]]:
    """5. By year and office: contracted, certified, recorded, contracts and orders, those with a certificate. A
    certificate counts once, from its day on, seen from the day of the newest row of its list."""
    certificates: dict[tuple[str, str, str], dict[tuple[str, date, float], float]] = defaultdict(dict)
    for channel, service in CHANNELS.items():
        papers = folder.rows(f"{service}Ekontrak-4BAPBAST")
        read = max(filter(None, (day(row.get("_event_date")) for row in papers)), default=date.max)
        for row in papers:
            paid = day(row.get("tgl_bap"))
            # One folder holds the rows of another list here.
            if "no_bap" in row and paid and paid <= read:
                paper = text(row["no_bap"]), paid, row["besar_pembayaran"]
                contract = channel, text(row[f"kd_{channel}"]), text(row["no_kontrak"])
                certificates[contract][paper] = row["besar_pembayaran"]
    sums: dict[tuple[int, str], list[tuple[float, float, float, int, int]]] = defaultdict(list)
    for each in folder.contracts:
        paid_by = certificates.get((each["channel"], each["code"], each["number"]), {})
        sums[each["year"], each["office"]].append((each["value"], sum(paid_by.values()), 0, 1, bool(paid_by)))
    for each in folder.orders:
        sums[each["year"], each["office"]].append((each["value"], 0, 0, 1, 0))
    for each in folder.recordings:
        if each["stands"]:
            sums[each["year"], each["office"]].append((0, 0, each["amount"] or 0, 0, 0))
    return {key: tuple(map(sum, zip(*rows, strict=True))) for key, rows in sums.items()}  # type: ignore[misc]


def recorded_and_cancelled(folder: Folder) -> tuple[float, float]:
    stand = sum(each["amount"] or 0 for each in folder.recordings if each["stands"])
    return stand, sum(each["amount"] or 0 for each in folder.recordings if not each["stands"])


def local_content(folder: Folder) -> tuple[float, ...]:
    """6. Contracts that give the part of domestic products: value and part; the part of small enterprises. Recordings
    likewise. How many of both that stand lack the part or an amount."""
    given = [each for each in folder.contracts if each["local"] is not None]
    standing = [each for each in folder.recordings if each["stands"]]
    complete = [each for each in standing if each["local"] is not None and each["amount"] is not None]
    return (
        sum(each["value"] for each in given),
        sum(each["local"] for each in given),
        sum(each["micro"] or 0 for each in folder.contracts),
        sum(each["amount"] for each in complete),
        sum(each["local"] for each in complete),
        sum(each["micro"] or 0 for each in complete),
        len(folder.contracts) - len(given) + len(standing) - len(complete),
    )


def late_plans(folder: Folder) -> dict[str, tuple[int, float]]:
    """7. Announced provider plans whose planned month of selection was over on the day of their list and of which no
    attempt is known: how many and their pagu, those of the e-catalogue apart (`unseen`) where none of its orders is in
    hand."""
    begun = set().union(
        *(codes(row.get("kd_rup")) for row in folder.attempts.values()),
        *(each["plans"] for each in (*folder.recordings, *folder.orders)),
    )
    until = max(filter(None, (day(row["_event_date"]) for row in folder.plans.values())))
    late: dict[str, list[float]] = {"plans": [], "unseen": []}
    for code, row in folder.plans.items():
        end = day(row["tgl_akhir_pemilihan"])
        over = (end.year, end.month) < (until.year, until.month) if end else row["tahun_anggaran"] < until.year
        if over and code not in begun:
            ordered = row["metode_pengadaan"] == "E-Purchasing" and not folder.orders
            late["unseen" if ordered else "plans"].append(row["pagu"])
    return {kind: (len(amounts), sum(amounts)) for kind, amounts in late.items()}


def swakelola_share(folder: Folder) -> tuple[int, int, float, float, float]:
    """8. Plans of self-managed work, all plans, the pagu of both; what was recorded of such work."""
    own = [row["pagu"] for row in folder.rows("RUP-PaketSwakelola-Terumumkan")]
    bought = [row["pagu"] for row in folder.plans.values()]
    recorded = sum(
        each["amount"] or 0 for each in folder.recordings if each["stands"] and each["channel"] == "swakelola"
    )
    return len(own), len(own) + len(bought), sum(own), sum(own) + sum(bought), recorded


def retenders(folder: Folder) -> dict[str, tuple[int, int, int, int, int]]:
    """9. By channel: packages, attempts, packages with several, with a later one alone, without a completed one."""
    found = {}
    for channel in CHANNELS:
        packages: dict[str, list[Row]] = defaultdict(list)
        for (of, _), row in folder.attempts.items():
            if of == channel:
                packages[text(row["kd_pkt_dce"])].append(row)
        tried = packages.values()
        found[channel] = (
            len(tried),
            sum(map(len, tried)),
            sum(len(each) > 1 for each in tried),
            sum(len(each) == 1 and each[0].get(f"versi_{channel}", 1) > 1 for each in tried),
            sum(all(row.get(f"status_{channel}") != "Selesai" for row in each) for each in tried),
        )
    return found


def bidders(folder: Folder) -> dict[str, tuple[int, int, int, int, int]]:
    """10. By method: tenders with participants, registrants, tenders with a bidder, bidders, tenders with one."""
    registered, bid = defaultdict(set), defaultdict(set)
    for row in folder.rows("SPSE-PesertaTender"):
        tender, supplier = text(row["kd_tender"]), text(row["kd_penyedia"])
        if supplier:
            registered[tender].add(supplier)
            if row["nilai_penawaran"] and float(row["nilai_penawaran"]):
                bid[tender].add(supplier)
    found: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    for tender, those in registered.items():
        bids = len(bid.get(tender, ()))
        method = folder.attempts["tender", tender]["mtd_pemilihan"]
        found[method].append((1, len(those), bids > 0, bids, bids == 1))
    return {method: tuple(map(sum, zip(*rows, strict=True))) for method, rows in found.items()}  # type: ignore[misc]
