"""The first settings file of a regency, written from a few answers: what `jejak init` makes."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.reference import toml
from pipeline.registry import SOURCES

PLACEHOLDER = "ocds-213czf"
"""The prefix of the standard's documentation, until a regency has its own."""

_LKPP = ("inaproc", "isb", "files")
_OWN = ("rest", "files")
ROADS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(SOURCES, _OWN),
    "sirup": _LKPP,
    "lpse": _LKPP,
    "simda": ("sql", "sipd", "files"),
}
"""By which transports a source can be read, the usual one first."""

SYSTEMS = {
    "sirup": "SIRUP, the procurement plan (LKPP)",
    "lpse": "LPSE/SPSE and e-Katalog, tenders and contracts (LKPP)",
    "simda": "SIMDA, or SIPD-RI in its place: budget and payments (BPKAD)",
    "musrenbang": "e-musrenbang, or SIPD's proposals (Bappeda)",
    "simpen": "SIMPEN, progress of public works (Dinas PU)",
    "dokumen": "planning documents of the offices",
}


@dataclass(frozen=True, slots=True)
class Road:
    """How a source is read, and its address: `url` of a web service, `folder` of files; None where none is given."""

    transport: str
    url: str | None = None
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What a regency must know to begin. No years: by the calendar; `wilayah` may be empty."""

    name: str
    kd_klpd: str
    kd_lpse: str
    wilayah: str
    ocid_prefix: str
    utc_offset: str
    years: tuple[int, ...]
    roads: dict[str, Road]
    postgresql: bool = False


def secrets_of(answers: Answers) -> Iterator[tuple[str, str, str]]:
    """The environment variables that the chosen roads need: name, value to show, and what it is and who issues it."""
    if answers.postgresql:
        yield "JEJAK_WAREHOUSE_URL", "postgresql://jejak:...@HOST/jejak", "the warehouse's database, password included"
    for source, road in answers.roads.items():
        variable = f"JEJAK_SOURCES__{source.upper()}__"
        match road.transport:
            case "inaproc":
                yield f"{variable}TOKEN", "...", "INAPROC's token: LKPP issues it, bound to one public address"
            case "isb":
                yield f"{variable}API_KEYS", '\'{"SERVICE": "..."}\'', "ISB's keys, one a service: LKPP issued them"
            case "sql":
                yield (
                    f"{variable}DATABASE",
                    "mssql+pymssql://reader:...@HOST/DATABASE",
                    "the database, with a login that may only SELECT: its keeper makes it",
                )
            case "sipd":
                yield f"{variable}TOKEN", "...", "SIPD-RI's token: the Ministry of Home Affairs issues it"
            case "rest":
                if road.url is None:
                    yield f"{variable}URL", "https://HOST/api", "its address: the system's keeper knows it"
                yield f"{variable}TOKEN", "...", "its token, if it wants one: the system's keeper issues it"
        if road.transport == "isb" and road.url is None:
            yield f"{variable}URL", "https://HOST/isb-2", "the address of a mirror: LKPP shut ISB in January 2026"


def settings_text(answers: Answers) -> str:
    """A commented settings file (TOML). Secrets are named in it as environment variables, and never stored."""
    lines = [
        f"# {answers.name}. All settings: docs/settings.md. Try this file with: jejak check",
        "#",
        "# Secrets come from the environment, never from this file:",
        *(f"#   {name}={value}  # {what}" for name, value, what in secrets_of(answers)),
        "",
        f"name = {toml(answers.name)}",
    ]
    if answers.ocid_prefix == PLACEHOLDER:
        lines += [
            "# The prefix of the standard's documentation. Register your own before anything is published",
            "# (https://standard.open-contracting.org/latest/en/schema/identifiers/): an OCID keeps it for ever.",
        ]
    lines += [
        f"ocid_prefix = {toml(answers.ocid_prefix)}",
        f"kd_klpd = {toml(answers.kd_klpd)}  # LKPP's code of the regency",
        f"kd_lpse = {toml(answers.kd_lpse)}  # LKPP's code of its LPSE",
        f"wilayah = {toml(answers.wilayah)}  # Kemendagri's code: texts then find their villages"
        if answers.wilayah
        else '# wilayah = "35.22"  # Kemendagri\'s code of the regency: texts then find their villages',
        f"utc_offset = {toml(answers.utc_offset)}  # can't change once a release exists",
    ]
    if answers.years:
        lines.append(f"fiscal_years = {toml(list(answers.years))}  # only these; left out, the calendar says which")
    else:
        lines += [
            "# Read are the open fiscal year and, until March, the one before. To read others instead:",
            "# fiscal_years = [2025, 2026]",
        ]
    if not answers.postgresql:
        lines += ['warehouse_url = "sqlite:///data/jejak.db"  # several machines need PostgreSQL: JEJAK_WAREHOUSE_URL']
    for source in SOURCES:
        lines += ["", f"# {SYSTEMS.get(source, source)}"]
        road = answers.roads.get(source)
        lines += _section(source, road) if road else [f"# [sources.{source}]", f'# transport = "{ROADS[source][0]}"']
    return "\n".join(lines) + "\n"


def _section(source: str, road: Road) -> list[str]:
    lines = [f"[sources.{source}]", f"transport = {toml(road.transport)}"]
    if road.url:
        lines.append(f"url = {toml(road.url)}")
    service = next(iter(SOURCES[source].services))
    match road.transport:
        case "files":
            lines.append(f"folder = {toml(road.folder or f'dumps/{source}')}  # {{year}} in it is replaced by the year")
            if source not in ("sirup", "lpse"):
                lines += [
                    f"# A sheet with other headings: jejak check {source} --draft proposes which column is which.",
                    f'# [sources.{source}.services."{service}"]',
                    '# file = "rekap*.xlsx"',
                ]
        case "isb":
            lines += [
                "# ISB numbers each service per subscriber; one table a service:",
                f'# [sources.{source}.services."{service}"]',
                '# service_no = "1234"',
            ]
        case "inaproc":
            lines += [
                "# A service that the token does not cover:",
                f'# [sources.{source}.services."{list(SOURCES[source].services)[-1]}"]',
                "# enabled = false",
            ]
        case "rest":
            lines += [
                "# Where its field names differ: jejak check --draft proposes which is which.",
                f'# [sources.{source}.services."{service}"]',
                '# endpoint = "api/..."',
            ]
    return lines
