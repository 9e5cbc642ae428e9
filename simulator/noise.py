"""How the regency's clerks type: shares of what goes wrong, and the ways in which it does."""

from __future__ import annotations

import datetime as dt
import random
import re
from dataclasses import dataclass, fields

from simulator.places import WORKS


@dataclass(frozen=True, slots=True)
class Noise:
    """Shares, in [0, 1], of what the regency's own systems lack or have otherwise than LKPP's."""

    # SIMPEN's jobs without kode_rup.
    no_rup: float = 0.30
    # Contract numbers in SIMDA and SIMPEN.
    number_respelled: float = 0.40
    number_wrong: float = 0.03
    # Suppliers' names: form lost or moved, words shortened.
    supplier_respelled: float = 0.50
    # Amounts, by an addendum that the other system lacks or by rounding.
    amount_off: float = 0.05
    # Proposals: the village, the words, and the office that had it first (half of them name only that one).
    village_misspelled: float = 0.10
    title_reworded: float = 0.50
    moved: float = 0.10
    # Subjects that a system lacks, for ever or for some days, and those that it has twice.
    missing: float = 0.05
    doubled: float = 0.02
    # Packages with the title and amount of another one of their office.
    twins: float = 0.02

    def scaled(self, factor: float) -> Noise:
        """So many times the noise; no share grows beyond 0.95."""
        return Noise(**{field.name: min(0.95, getattr(self, field.name) * factor) for field in fields(self)})


ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


def respelled_number(rng: random.Random, number: str, signed: dt.date) -> str:
    """A contract's number as another clerk types it; it stays the same number."""
    parts = [part.strip() for part in number.split("/")]
    ways = rng.sample(("blanks", "signs", "month", "prefix", "zeros", "capitals", "word"), rng.choice((1, 1, 2)))
    separator = "/"
    for way in ways:
        match way:
            case "month" if len(parts) > 2:
                parts.insert(-1, ROMAN[signed.month - 1])
            case "prefix" if len(parts) > 2:
                parts = parts[1:]
            case "zeros":
                parts = [str(int(part)) if part.isdecimal() else part for part in parts]
            case "capitals":
                parts = [part.lower() for part in parts]
            case "word":
                parts[0] = f"{rng.choice(('No.', 'Nomor', 'NO :'))} {parts[0]}"
            case "blanks":
                separator = rng.choice((" / ", "/ ", " /"))
            case "signs":
                separator = rng.choice(("-", ".", " ", "\\"))
    respelled = separator.join(parts)
    return respelled if respelled != number else separator.join(parts).replace("/", "-")


def wrong_number(rng: random.Random, number: str, others: list[str]) -> str:
    """Another number: a digit that slipped, two that changed places, or that of another contract."""
    if others and rng.random() < 0.3:
        return rng.choice(others)
    runs = [match for match in re.finditer(r"\d+", number) if match.start() and len(match[0]) == 3]
    if not runs:
        return f"{number}-1"
    run = runs[0]
    digits = f"{(int(run[0]) + rng.choice((1, 9, 10, 30, 90, 100))) % 1000:03d}"
    return f"{number[: run.start()]}{digits}{number[run.end() :]}"


def respelled_supplier(rng: random.Random, name: str) -> str:
    """A firm's name without its form, with the form elsewhere, in other capitals, or with a word shortened."""
    found = re.match(r"(CV\.|PT\.|PT|FA) (.+)", name)
    if found is None:
        return rng.choice((name.title(), f"Sdr. {name}", name.lower()))
    form, rest = found.groups()
    bare = form.rstrip(".")
    words = rest.split()
    if words[-1].isdecimal() and rng.random() < 0.5:
        words.pop()
    if len(words) > 2 and rng.random() < 0.3:
        at = rng.randrange(1, len(words))
        words[at] = f"{words[at][0]}."
    rest = " ".join(words)
    return rng.choice(
        (
            rest,
            f"{bare} {rest}",
            f"{bare}. {rest}",
            f"{rest}, {bare}",
            f"{bare.title()}. {rest.title()}",
            f"{bare}.{rest}",
        )
    )


def off(rng: random.Random, value: int | float) -> int | float:
    """An amount that an addendum changed or that was rounded."""
    if rng.random() < 0.5:
        return round(float(value) * rng.choice((0.9, 0.93, 0.95, 1.04, 1.07, 1.1)) / 1000) * 1000
    return int(-(-value // 10_000) * 10_000 if rng.random() < 0.5 else value // 100_000 * 100_000) or value


def misspelled(rng: random.Random, name: str) -> str:
    """A village's name as heard: another vowel, a letter too many or too few, two words for one."""
    ways = [name.replace(old, new, 1) for old, new in (("o", "u"), ("u", "o"), ("a", "o"), ("i", "e"), ("j", "dj"))]
    at = rng.randrange(2, len(name) - 1)
    ways += [
        name[:at] + name[at] + name[at:],
        name[:at] + name[at + 1 :],
        f"{name[:at]}{name[at + 1]}{name[at]}{name[at + 2 :]}",
    ]
    halves = re.fullmatch(r"([A-Z][a-z]{3,})([a-z]{4,})", name)
    if halves:
        ways.append(f"{name[:-4]} {name[-4:].title()}")
    return rng.choice([way for way in ways if way != name] or [f"{name}n"])


_SHORT = (
    ("Rehabilitasi", "Rehab"), ("Pembangunan", "Pemb."), ("Peningkatan", "Peningk."), ("Pemeliharaan", "Pemel."),
    ("Jalan", "Jl."), ("Jembatan", "Jemb."), ("Saluran", "Sal."), ("Lingkungan", "Lingk."), ("Desa", "Ds."),
    ("Kecamatan", "Kec."), ("Dusun", "Dsn."), ("Gang", "Gg."), ("Gedung", "Gdg."), ("Pengadaan", "Peng."),
    ("Penerangan", "Pen."), ("Tembok Penahan Tanah", "TPT"), ("Perencanaan", "Perenc."), ("Pengawasan", "Peng."),
)  # fmt: skip


def shortened(rng: random.Random, title: str) -> str:
    """A title in the abbreviations of a form's narrow field."""
    for word, short in _SHORT:
        if rng.random() < 0.5:
            title = title.replace(f"{word} ", f"{short} ")
    return title.upper() if rng.random() < 0.2 else title


def villagers_title(rng: random.Random, work: int, spot: str, village: str, reworded: bool) -> str:
    """What a proposal asks for: in the offices' words, or (`reworded`) in the villagers' own."""
    words = WORKS[work]
    if not reworded:
        at = f" {spot}" if spot else ""
        return f"{words.verb} {words.thing}{at}" + (f" Desa {village}" if rng.random() < 0.5 else "")
    verb, thing = rng.choice(words.verbs), rng.choice(words.things)
    at = said_spot(rng, spot)
    where = rng.choice(("", "", f"Ds. {village}", f"desa {village}", village))
    return (
        rng.choice(
            (
                f"{verb} {thing} {at} {where}",
                f"{verb} {thing} di {at or where or 'desa'} {where if at else ''}",
                f"{thing} {at} {where} ({verb.lower()})",
                f"{at + ': ' if at else ''}{verb.lower()} {thing} {where}",
                f"{verb} {thing} {where} {at}".upper(),
            )
        )
        .replace("  ", " ")
        .strip()
    )


def said_spot(rng: random.Random, spot: str) -> str:
    """A place within the village, as people write it."""
    if not spot:
        return ""
    swap = rng.random()
    if swap < 0.6:
        spot = re.sub(
            r"RT 0?(\d+) RW 0?(\d+)", rng.choice((r"RT.\1/RW.\2", r"RT \1 RW \2", r"RT0\1/0\2", r"Rt \1/\2")), spot
        )
        spot = spot.replace("Jl. ", rng.choice(("Jalan ", "jln. ", "Jl "))).replace(
            "Gang ", rng.choice(("Gg. ", "gang ", "Gg "))
        )
        spot = spot.replace("Dusun ", rng.choice(("Dsn. ", "dusun ", "Dkh. ")))
        spot = spot.replace("SDN ", rng.choice(("SD Negeri ", "SDN. ", "SD ")))
    return spot
