"""What describes a publication: changes since the last, codelists, a data package, a DCAT catalogue, a sitemap."""

import csv
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from sqlalchemy import Connection, select

from reports.publication import metadata
from reports.publication.files import digest_of, files_of, names_of, opened
from reports.publication.year import TABLES, csv_line
from schemas.settings import Settings
from warehouse import tables as t

_VOIDED = ("ocid", "id", "date", "made_at", "voided_at")
_CHANGES = ("change", "ocid", "id", "date", "made_at")
_INDEX = re.compile(r"(?<![^/])index\.html$")
_ADDRESSES = 50_000  # of one sitemap, by its standard
_MEDIA = {".json": "application/json", ".jsonl": "application/jsonl", ".csv": "text/csv"}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Tables beside the code tables that are none.
_NO_CODES = {"field_owners.csv", "words.csv"}


def write_changes(conn: Connection, out: Path, mark: str, last: Path | None) -> dict[str, int]:
    """Write the ids of all voided releases, and those of the releases that are new, changed or voided since the last
    publication: `new` ones are of processes that it did not have, `changed` ones go on with a process that it had.
    Returns how many of each."""
    before = {row["id"]: row["ocid"] for row in _rows(last, "*/*release_ids.csv.gz")}
    gone = {row["id"] for row in _rows(last, "*voided.csv.gz")}
    known = set(before.values())
    columns = t.release.c
    query = select(*(columns[name] for name in _VOIDED)).where(columns.voided_at.is_not(None)).order_by(columns.id)
    voided = conn.execute(query).all()
    with opened(out / "data" / f"{mark}voided.csv.gz") as file:
        file.write(csv_line(_VOIDED))
        for row in voided:
            file.write(csv_line(row))
    counts = {"new": 0, "changed": 0, "voided": 0}
    with opened(out / "data" / f"{mark}changes.csv.gz") as file:
        file.write(csv_line(_CHANGES))
        for each in _rows(out, "*/*release_ids.csv.gz"):
            if each["id"] not in before:
                change = "changed" if each["ocid"] in known else "new"
                file.write(csv_line((change, *(each[name] for name in _CHANGES[1:]))))
                counts[change] += 1
        for row in voided:
            if row.id in before and row.id not in gone:
                file.write(csv_line(("voided", row.ocid, row.id, row.date, row.made_at)))
                counts["voided"] += 1
    return counts


def _rows(folder: Path | None, pattern: str) -> Iterator[dict[str, str]]:
    """Rows of the CSV files of a publication that match a pattern below `data/`; none without a publication."""
    for path in sorted((folder / "data").glob(pattern)) if folder else ():
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def write_codelists(out: Path) -> None:
    """Write the schemes of identifiers that are used, and which word of which source becomes which code."""
    folder = out / "codelists"
    (folder / "sources").mkdir(parents=True)
    schemes = resources.files("reports.publication") / "schemes.csv"
    (folder / "identifierScheme.csv").write_bytes(schemes.read_bytes())
    for table in sorted((resources.files("transforms") / "codes").iterdir(), key=lambda each: each.name):
        if table.name.endswith(".csv") and table.name not in _NO_CODES:
            (folder / "sources" / table.name).write_bytes(table.read_bytes())


def write_datapackage(out: Path, settings: Settings, title: str) -> None:
    """Write `datapackage.json` (Data Package, v1): every CSV table with its columns."""
    found = []
    for tables in sorted((out / "data").glob(f"*/*{TABLES}")):
        year = tables.parent.name
        for table in json.loads(tables.read_text(encoding="utf-8")):
            path = f"data/{year}/csv/{table['path']}"
            found.append({**table, "name": f"{year}-{table['name']}".lower().replace("_", "-"), "path": path})
    package = {
        "profile": "data-package",
        "name": f"kontrak-{settings.kd_klpd.lower()}",
        "title": title,
        "resources": [
            {**each, "profile": "tabular-data-resource", "format": "csv", "mediatype": "text/csv", "encoding": "utf-8"}
            for each in found
        ],
    }
    if settings.site_url:
        package["homepage"] = settings.site_url
    if settings.license:
        package["licenses"] = [{"path": settings.license}]
    _write_json(out / "datapackage.json", package)


def write_catalog(out: Path, settings: Settings, title: str, modified: str, years: Mapping[str, str]) -> None:
    """Write `catalog.jsonld`, a DCAT catalogue as CKAN harvests it: a dataset a year, a distribution a file. `modified`
    is when it is made, `years` when the files of each year were: times with offset."""
    site = metadata.site(settings)
    publisher: dict[str, Any] = {"@type": "foaf:Organization", "foaf:name": title}
    if settings.publisher_uri:
        publisher["@id"] = settings.publisher_uri
    datasets = []
    for folder in sorted(path for path in (out / "data").iterdir() if path.is_dir()):
        dataset = {
            "@id": f"{site}/data/{folder.name}/",
            "@type": "dcat:Dataset",
            "dct:identifier": f"{settings.ocid_prefix}-{settings.kd_klpd}-{folder.name}",
            "dct:title": f"{title}: kontrak terbuka tahun anggaran {folder.name}",
            "dct:description": "Perencanaan, pengadaan, penetapan, kontrak dan pelaksanaan tiap paket (OCDS 1.1)",
            "dct:language": "id",
            "dct:publisher": publisher,
            "dct:modified": {"@type": "xsd:dateTime", "@value": years[folder.name]},
            "dct:accrualPeriodicity": {"@id": "http://publications.europa.eu/resource/authority/frequency/DAILY"},
            "dct:temporal": {
                "@type": "dct:PeriodOfTime",
                "dcat:startDate": {"@type": "xsd:date", "@value": f"{folder.name}-01-01"},
                "dcat:endDate": {"@type": "xsd:date", "@value": f"{folder.name}-12-31"},
            },
            "dcat:theme": {"@id": "http://publications.europa.eu/resource/authority/data-theme/GOVE"},
            "dcat:keyword": ["pengadaan", "kontrak", "anggaran", "OCDS"],
            "dcat:distribution": [_distribution(path, out, site, settings) for path in files_of(folder)],
        }
        if settings.license:
            dataset["dct:license"] = {"@id": settings.license}
        if settings.wilayah:
            dataset["dct:spatial"] = {"@type": "dct:Location", "dct:identifier": f"ID-KEMENDAGRI-{settings.wilayah}"}
        if contact := settings.site.complaints_url or settings.publisher_uri:
            dataset["dcat:contactPoint"] = {
                "@type": "vcard:Organization",
                "vcard:fn": title,
                "vcard:hasURL": {"@id": contact},
            }
        datasets.append(dataset)
    catalog = {
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "vcard": "http://www.w3.org/2006/vcard/ns#",
            "spdx": "http://spdx.org/rdf/terms#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@id": f"{site}/catalog.jsonld",
        "@type": "dcat:Catalog",
        "dct:title": f"{title}: kontrak terbuka",
        "dct:language": "id",
        "dct:publisher": publisher,
        "dct:modified": {"@type": "xsd:dateTime", "@value": modified},
        "foaf:homepage": {"@id": f"{site}/"},
        "dcat:dataset": datasets,
    }
    _write_json(out / "catalog.jsonld", catalog)


def _distribution(path: Path, out: Path, site: str, settings: Settings) -> dict[str, Any]:
    name = path.relative_to(out).as_posix()
    packed = path.suffix == ".gz"
    suffix = Path(path.stem).suffix if packed else path.suffix
    media = _XLSX if suffix == ".xlsx" else _MEDIA[suffix]
    address = f"{site}/{quote(name)}"
    distribution: dict[str, Any] = {
        "@type": "dcat:Distribution",
        "@id": address,
        "dct:title": path.name,
        "dcat:accessURL": {"@id": address},
        "dcat:downloadURL": {"@id": address},
        "dcat:mediaType": media,
        "dcat:byteSize": path.stat().st_size,
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"},
            "spdx:checksumValue": digest_of(path),
        },
    }
    if packed:
        distribution["dcat:compressFormat"] = "application/gzip"
    if settings.license:
        distribution["dct:license"] = {"@id": settings.license}
    return distribution


def write_sitemap(out: Path, site: str) -> None:
    """Write `sitemap.xml`: the address of every page, in parts where there are more than a sitemap may hold."""
    pages = [name for name in names_of(out) if name.endswith(".html")]
    addresses = [f"{site}/{quote(_INDEX.sub('', page))}" for page in pages]
    if len(addresses) <= _ADDRESSES:
        (out / "sitemap.xml").write_text(_sitemap("urlset", "url", addresses), encoding="utf-8")
        return
    parts: list[str] = []
    for start in range(0, len(addresses), _ADDRESSES):
        parts.append(f"sitemap-{len(parts) + 1}.xml")
        part = _sitemap("urlset", "url", addresses[start : start + _ADDRESSES])
        (out / parts[-1]).write_text(part, encoding="utf-8")
    whole = _sitemap("sitemapindex", "sitemap", [f"{site}/{part}" for part in parts])
    (out / "sitemap.xml").write_text(whole, encoding="utf-8")


def _sitemap(root: str, entry: str, addresses: list[str]) -> str:
    lines = "".join(f"<{entry}><loc>{escape(address)}</loc></{entry}>\n" for address in addresses)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{lines}</{root}>\n'
    )


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
