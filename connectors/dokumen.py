"""Planning documents: a list of addresses (REST, or an index file), or a folder that is published as it is.

Such a folder holds the documents of one fiscal year, each below a folder named as the kd_rup or `mak` that it is of
(`90000001/KAK Jalan.pdf`), or with the kd_rup at the head of its own name (`90000001_KAK_jalan.pdf`).
"""

import datetime as dt
import os
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from urllib.parse import quote

from connectors.transport.files import inside
from connectors.transport.parse import Row
from connectors.transport.read import Address, own_address, read
from schemas.dokumen import KINDS
from schemas.errors import SettingsError
from schemas.fields import media_type
from schemas.service import Page, Service
from schemas.settings import Settings, SourceSettings

ADDRESSES: dict[str, Address] = {"Dokumen-Perencanaan": own_address("Dokumen-Perencanaan", "dokumen")}

_RUP = r"\d{5,10}"
_MAK = r"\d+(?:\.[0-9X]+){5,}\.?"
_CODE_FOLDER = re.compile(rf"{_RUP}|{_MAK}")
_CODE_FIRST = re.compile(rf"({_RUP}|{_MAK})(?:[ _-]+|$)")
_SEPARATORS = re.compile(r"[\s_]+")
# What systems leave in folders for themselves; names that begin with a dot or `~$` too.
_NO_DOCUMENTS = {"desktop.ini", "thumbs.db"}


def fetch(
    service: Service, settings: Settings, source: SourceSettings, scope: str, cursor: str | None = None
) -> Iterator[Page]:
    """Pages of the list, rows as received; of a folder without an index one row for each file.

    `scope` is a fiscal year; `cursor` is the last staged page's. Raises SettingsError (also for a link that leads out
    of the folder), SourceUnavailable or StructureError.
    """
    pages = read("dokumen", ADDRESSES, service, settings, source, scope, cursor)
    first = next(pages, None)
    if first is not None:
        yield from chain([first], pages)
    # A folder that only `dumps` names holds lists, and an index that was named is not replaced when it is missing.
    elif source.transport == "files" and source.folder and not source.service(service.name).file:
        yield _listing(source.folder, settings, source, scope)


def _listing(folder: str, settings: Settings, source: SourceSettings, year: str) -> Page:
    """A row for each file below the folder; one without a code in its path has none, and is rejected as such."""
    if "{year}" not in folder:
        raise SettingsError(
            "the folder of planning documents has no index (Dokumen-Perencanaan.csv or .xlsx) and doesn't give its "
            "year; put the documents of each fiscal year below a folder of its own and write {year} in "
            "JEJAK_SOURCES__DOKUMEN__FOLDER"
        )
    if source.url is None:
        raise SettingsError(
            "the folder of planning documents has no index, and without the address where it is published its files "
            "have none; set JEJAK_SOURCES__DOKUMEN__URL, with {year} where the year stands in it"
        )
    root, base = Path(folder.replace("{year}", year)), source.url.replace("{year}", year).rstrip("/")
    local = dt.datetime.fromisoformat(f"2000-01-01T00:00:00{settings.utc_offset}").tzinfo
    rows: list[Row] = []
    for place, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            if name.startswith((".", "~$")) or name.casefold() in _NO_DOCUMENTS:
                continue
            path = Path(place, name)
            if not inside(path, root):
                raise SettingsError(
                    f"{name}, a planning document, is a link that leads out of its folder; put the file itself there"
                )
            within = path.relative_to(root)
            codes = [part for part in within.parts[:-1] if _CODE_FOLDER.fullmatch(part)]
            head = _CODE_FIRST.match(path.stem)
            title = path.stem[head.end() :] if head else path.stem
            rows.append(
                {
                    "kode": codes[-1] if codes else head and head[1],
                    "url": f"{base}/{quote(within.as_posix())}",
                    "jenis": _kind(title),
                    "judul": _SEPARATORS.sub(" ", title).strip() or None,
                    "tanggal": dt.datetime.fromtimestamp(path.stat().st_mtime, local).date().isoformat(),
                    "format": media_type(name),
                    "tahun": year,
                }
            )
    return Page(rows, name=root.name)


def _kind(title: str) -> str | None:
    """The kind of document by a file's name: the first of `KINDS` that stands in it as a word."""
    words = f" {re.sub(r'[^0-9a-z]+', ' ', title.casefold())} "
    return next((kind for kind in KINDS if f" {kind.casefold().replace('-', ' ')} " in words), None)
