"""Villages, what they lack, and how offices word the works that mend it. Nothing here names a real place."""

from __future__ import annotations

import random
from dataclasses import dataclass

from simulator.facts import Need, Village


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of works: the offices' words, other people's words for the same, the trouble and the aim, the unit.

    `spots` says what the place within the village is called: a road (`r`), a neighbourhood (`n`), a thing's own name.
    """

    verb: str
    thing: str
    verbs: tuple[str, ...]
    things: tuple[str, ...]
    trouble: str
    aim: str
    unit: str
    spots: str


_BUILD = ("Pemb.", "Pembuatan", "Pembangunan", "Mohon dibangun")
_MEND = ("Rehab", "Perbaikan", "Rehab.", "Renovasi", "Rehabilitasi")
WORKS = (
    Work("Pembangunan", "Jalan Lingkungan", _BUILD, ("jl. lingkungan", "jalan kampung", "jalan gang", "Jaling"),
         "Jalan becek dan licin pada musim hujan", "Memperlancar akses warga", "Meter", "rn"),
    Work("Rehabilitasi", "Jembatan", _MEND, ("jembatan", "jemb.", "Jembatan desa"),
         "Jembatan retak dan membahayakan anak sekolah", "Menghubungkan dua dusun", "Unit", "Kali"),
    Work("Peningkatan", "Jalan", ("Pengaspalan", "Peningk.", "Perbaikan", "Peningkatan"),
         ("jl.", "jalan poros", "ruas jalan"),
         "Aspal rusak dan berlubang", "Memperlancar angkutan hasil panen", "Meter", "r"),
    Work("Pembangunan", "Saluran Drainase", _BUILD, ("drainase", "saluran air", "selokan", "saluran"),
         "Air menggenangi rumah warga setiap hujan", "Mengurangi genangan", "Meter", "rn"),
    Work("Rehabilitasi", "Ruang Kelas SD", _MEND, ("ruang kelas sekolah dasar", "kelas SD", "gedung SD"),
         "Atap ruang kelas bocor dan kayu lapuk", "Murid belajar dengan aman", "Ruang", "SDN"),
    Work("Pembangunan", "Tembok Penahan Tanah", _BUILD, ("TPT", "talud", "senderan", "penahan tanah"),
         "Tebing longsor ke jalan", "Mencegah longsor", "Meter", "rn"),
    Work("Rehabilitasi", "Jaringan Irigasi", _MEND, ("irigasi", "saluran irigasi", "JITUT", "sal. irigasi"),
         "Air tidak sampai ke sawah", "Meningkatkan hasil panen", "Meter", "Blok"),
    Work("Pembangunan", "Sumur Bor", _BUILD, ("sarana air bersih", "sumur dalam", "SAB sumur bor"),
         "Warga kekurangan air pada musim kemarau", "Air bersih bagi warga", "Unit", "n"),
    Work("Pemasangan", "Penerangan Jalan Umum", ("Pengadaan", "Pasang", "Pemasangan"),
         ("PJU", "lampu jalan", "lampu penerangan"),
         "Jalan gelap pada malam hari", "Keamanan warga", "Titik", "rn"),
    Work("Pembangunan", "Gedung Posyandu", _BUILD, ("posyandu", "gdg. posyandu", "Pos Yandu"),
         "Posyandu masih menumpang di rumah warga", "Pelayanan ibu dan anak", "Unit", "n"),
    Work("Rehabilitasi", "Balai Desa", _MEND, ("kantor desa", "balai desa", "Gedung Balai Desa"),
         "Atap dan dinding balai desa rusak", "Pelayanan warga", "Unit", ""),
    Work("Pembangunan", "Embung", _BUILD, ("embung desa", "waduk kecil", "penampung air"),
         "Sawah kering pada musim kemarau", "Persediaan air sawah", "Unit", "Blok"),
    Work("Pembangunan", "Rabat Beton", _BUILD, ("cor jalan", "betonisasi", "rabat beton jalan", "pengecoran jalan"),
         "Jalan tanah tidak dapat dilalui pada musim hujan", "Memperlancar akses warga", "Meter", "rn"),
    Work("Rehabilitasi", "Puskesmas Pembantu", _MEND, ("pustu", "PUSTU", "puskesmas pembantu"),
         "Bangunan pustu rusak", "Pelayanan kesehatan", "Unit", ""),
    Work("Pembangunan", "Jembatan", _BUILD, ("jembatan", "jemb. gantung", "jembatan penghubung"),
         "Warga menyeberang sungai dengan rakit", "Menghubungkan dua dusun", "Unit", "Kali"),
    Work("Pemeliharaan", "Jalan Desa", ("Perbaikan", "Rehab", "Pemel.", "Pemeliharaan"),
         ("jalan", "jl. desa", "jalan desa"),
         "Jalan berlubang", "Memperlancar akses warga", "Meter", "r"),
)  # fmt: skip

_FIRST = (
    "Tirta", "Karang", "Suka", "Banyu", "Wana", "Sumber", "Rawa", "Gunung", "Pasir", "Muara", "Bumi", "Sido", "Kedung",
    "Ngadi", "Tanjung", "Mojo", "Randu", "Kali", "Pado", "Jati", "Trene", "Wono", "Purwo", "Margo", "Tegal", "Kemuning",
    "Ngare", "Bangun", "Dandang", "Mulyo", "Sambi", "Plesung",
)  # fmt: skip
_LAST = ("semu", "khayal", "reka", "umpama", "andai", "maya", "tamsil", "kelana", "mimpi", "bayang", "cita", "dongeng")
_DISTRICTS = (
    "Angan", "Bayangan", "Cerita", "Dongengan", "Fantasi", "Gagasan", "Hikayat", "Imajinasi", "Jenaka", "Kiasan",
    "Legenda", "Mitosan", "Nirwana", "Perumpamaan", "Rekayasa", "Sandiwara", "Tamsilan", "Utopia", "Wayangan", "Zaman",
)  # fmt: skip
_SIDES = ("Lor", "Kidul", "Wetan", "Kulon")
_ROADS = (
    "Melati", "Kenanga", "Mawar", "Flamboyan", "Cempaka", "Anggrek", "Teratai", "Dahlia", "Bougenville", "Kamboja",
    "Merpati", "Kutilang", "Cendrawasih", "Rajawali", "Nangka", "Rambutan", "Mangga", "Kelapa", "Pahlawan", "Merdeka",
)  # fmt: skip
_HAMLETS = ("Krajan", "Ngemplak", "Dukuh", "Tegalan", "Pojok", "Sawahan", "Gempol", "Kauman", "Plosorejo", "Jurang")


def gazetteer(rng: random.Random) -> list[Village]:
    """Some 300 villages in 20 districts; a few bear the name of one in another district, or nearly so."""
    names = [first + last for first in _FIRST for last in _LAST]
    rng.shuffle(names)
    villages: list[Village] = []
    for number, district in enumerate(_DISTRICTS):
        latitude, longitude = -2.1 - 0.09 * (number // 5), 121.2 + 0.11 * (number % 5)
        for _ in range(rng.randint(10, 20)):
            draw = rng.random()
            if draw < 0.04 and villages:
                name = rng.choice(villages).name
            elif draw < 0.14 and villages:
                name = f"{rng.choice(villages).name.split()[0]} {rng.choice(_SIDES)}"
            else:
                name = names.pop()
            if any(other.name == name for other in villages if other.district == district):
                name = names.pop()
            villages.append(
                Village(
                    code=990_100_000 + number * 1000 + len(villages) + 2001,
                    name=name,
                    district_code=990_100 + number,
                    district=district,
                    latitude=round(latitude + rng.uniform(-0.04, 0.04), 6),
                    longitude=round(longitude + rng.uniform(-0.05, 0.05), 6),
                )
            )
    return villages


def spot(rng: random.Random, work: int, village: Village, needed: bool) -> str:
    """Where in the village; may be empty unless it is `needed` to tell this from another of its kind there."""
    sort = WORKS[work].spots
    if not sort and not needed:
        return ""
    if sort in ("SDN", "Kali", "Blok"):
        name = {"SDN": f"{village.name} {rng.randint(1, 4)}", "Kali": rng.choice(_ROADS), "Blok": rng.choice(_HAMLETS)}
        return f"{sort} {name[sort]}"
    road = f"{rng.choice(('Jl.', 'Jl.', 'Gang'))} {rng.choice(_ROADS)}"
    neighbourhood = f"RT {rng.randint(1, 12):02d} RW {rng.randint(1, 6):02d}"
    kinds: list[tuple[str, int]] = [("", 0 if needed else 20)]
    if "r" in sort:
        kinds.append((road, 45))
    if "n" in sort or needed:
        kinds += [(neighbourhood, 25), (f"Dusun {rng.choice(_HAMLETS)} {neighbourhood}", 15)]
    if sort == "rn":
        kinds.append((f"{road} {neighbourhood}", 20))
    return rng.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]


def titled(rng: random.Random, needs: list[Need], generic: bool) -> str:
    """A package's title as its office words it; a `generic` one leaves the place to the list of places."""
    first = needs[0]
    work = WORKS[first.work]
    what = f"{work.verb} {work.thing}"
    if generic:
        return what
    if len(needs) > 1:
        same = all(need.village is first.village for need in needs)
        places = [need.spot or f"Desa {need.village.name}" for need in needs] if same else [
            f"{need.spot} Desa {need.village.name}".strip() for need in needs
        ]  # fmt: skip
        text = f"{what} {', '.join(places[:-1])} dan {places[-1]}"
        return f"{text} Desa {first.village.name}" if same and first.village.name not in text else text
    village, at = first.village, f" {first.spot}" if first.spot else ""
    return rng.choices(
        (
            f"{what}{at} Desa {village.name}",
            f"{what}{at} Desa {village.name} Kec. {village.district}",
            f"{what}{at} Ds. {village.name} Kecamatan {village.district}",
            f"{what} Desa {village.name}{f' ({first.spot})' if at else ''}",
            f"{what}{at} - {village.name}",
        ),
        (40, 20, 12, 15, 13),
    )[0]
