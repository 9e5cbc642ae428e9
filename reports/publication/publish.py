"""A publication: everything in one folder, to be served as it is, made whole beside the last one and put in its place.

    DIR/current -> 20260131T020000Z-1/    the publication; a web server serves DIR/current
    DIR/.known-20260131T020000Z-1         what the next one needn't work out again
    DIR/.marks-20260131T020000Z-1         and needn't read again
    DIR/.building-...                     the next one while it is being made

A killed publication leaves `current` as it was, and what it had begun is removed by the next.
"""

import hashlib
import logging
import os
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

import reports
from pipeline.clock import local_time, utc_now
from pipeline.progress import with_progress
from pipeline.registry import code_fingerprint
from pipeline.steps import warehouse
from pipeline.workers import beside
from reports.publication import metadata
from reports.publication.describing import (
    write_catalog,
    write_changes,
    write_codelists,
    write_datapackage,
    write_sitemap,
)
from reports.publication.files import MANIFEST, about, kept, write_manifest
from reports.publication.marks import Marks
from reports.publication.processes import digests, fiscal_years, processes
from reports.publication.scan import Personal, personal_now, scan
from reports.publication.year import write_year
from reports.site import texts
from reports.site.asked import flags_of
from reports.site.known import Known, known_in
from reports.site.write import files_of_package, write_site
from schemas import ocds
from schemas.errors import SettingsError
from schemas.settings import Settings
from warehouse.engine import holding, reading

log = logging.getLogger("jejak.publish")

CURRENT = "current"
DRAFT = "draft-"
_KNOWN, _MARKS = _BESIDE = (".known-", ".marks-")
_OURS = re.compile(r"\.building-|\.next-|(?:\.known-|\.marks-)?(\d{8}T\d{6}Z-\d+)$")
# Documentation, examples and tests use these; nobody may publish under them.
_UNREGISTERED = ("ocds-213czf", "ocds-000000")
_ADVICE = {
    "license": 'license = "https://creativecommons.org/licenses/by/4.0/", or the address of another licence',
    "publication_policy": "publication_policy, the address of the page that says what is published and how",
    "publisher_scheme": "publisher_scheme, the register of publisher_uid, such as a list of org-id.guide",
    "publisher_uid": "publisher_uid, the publisher's number there",
    "publisher_uri": "publisher_uri, the address of the publisher's own page",
    "site_url": "site_url, the address under which the publication will be served",
}


def missing(settings: Settings) -> list[str]:
    """What must be set before anything is published, in words; empty where nothing is missing."""
    found = [advice for name, advice in _ADVICE.items() if not getattr(settings, name)]
    if settings.ocid_prefix in _UNREGISTERED:
        prefix = "ocid_prefix, the one that the Open Contracting Partnership has registered for this publisher"
        found.append(f"{prefix} ({settings.ocid_prefix} is an example's)")
    return found


def publish(
    settings: Settings, out: Path, *, years: Iterable[int] = (), draft: bool = False, with_versions: bool = False
) -> dict[str, Any]:
    """Make a publication of the records of some fiscal years, by default of all, and put it in the place of the last.

    Returns `{"folder", "files", "years": {year: {"processes", "releases"}}, "new", "changed", "voided"}`; the last are
    numbers of releases. Only one is made at a time: who comes waits. Raises SettingsError, saying what to do, where
    settings are missing (unless it is a `draft`, which says so in every file's name and on every page), where the
    folder can't be written, and where the new publication holds what may be personal; then the last one stays.
    """
    if not draft and (wanted := missing(settings)):
        raise SettingsError(
            f"nothing can be published before these are set: {'; '.join(wanted)}. "
            "With --draft it is done without, and every page and file says so"
        )
    check_folder(out)
    engine = warehouse(settings)
    with holding(engine, "publication"):
        _clear(out)
        building = Path(tempfile.mkdtemp(prefix=".building-", dir=out))
        building.chmod(0o755)
        try:
            made_at, files, work = utc_now(), building / "files", building / "work"
            with reading(engine) as conn:
                making = _Making(settings, conn, files, work, _last(out), made_at, draft, with_versions)
                report = _make(making, set(years))
            name = _free_name(out, made_at)
            for each in _BESIDE:
                (building / each).rename(out / f"{each}{name}")
            files.rename(out / name)
            _point(out, name)
        finally:
            _clear(out)
    return {**report, "folder": str(out / CURRENT)}


def check_folder(out: Path) -> None:
    """Raise SettingsError unless a publication can be made in a folder: it can be written, has symbolic links, and
    holds nothing but publications. Makes it where it is missing."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        _point(out, _target(out) or ".", name=".next-check")
        (out / ".next-check").unlink()
    except OSError as error:
        raise SettingsError(
            f"{out} can't take a publication ({error.strerror}): give a folder in which this user may write, on a file "
            "system with symbolic links"
        ) from None
    strangers = [path.name for path in out.iterdir() if path.name != CURRENT and not _OURS.match(path.name)]
    if strangers and _target(out) is None:
        raise SettingsError(f"{out} holds other files ({strangers[0]}, ...): give an empty folder, or a new one")


def _target(out: Path) -> str | None:
    link = out / CURRENT
    return os.readlink(link) if link.is_symlink() else None


def _last(out: Path) -> Path | None:
    """The folder of the last publication; None where there is none that is whole."""
    target = _target(out)
    return out / target if target and (out / target / MANIFEST).is_file() else None


def _clear(out: Path) -> None:
    """Remove what killed publications began, and publications before the last."""
    target = _target(out)
    for path in out.iterdir():
        if (ours := _OURS.match(path.name)) and (ours[1] is None or ours[1] != target):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _free_name(out: Path, made_at: str) -> str:
    stamp, number = re.sub(r"[-:]", "", made_at), 1
    while (out / f"{stamp}-{number}").exists():
        number += 1
    return f"{stamp}-{number}"


def _point(out: Path, target: str, name: str = CURRENT) -> None:
    """Make the symbolic link in one step, whatever it was before."""
    link = out / f".next-{name}"
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    link.replace(out / name)


@dataclass(frozen=True, slots=True)
class _Making:
    """What a publication is made of: `out` takes its files, `work` what is needed meanwhile, `last` is the last one."""

    settings: Settings
    conn: Connection
    out: Path
    work: Path
    last: Path | None
    made_at: str
    draft: bool
    with_versions: bool

    @property
    def mark(self) -> str:
        return DRAFT if self.draft else ""

    @property
    def title(self) -> str:
        return metadata.title(self.settings, draft=self.draft)

    @property
    def made_on(self) -> str:
        """As local time with offset."""
        return local_time(self.made_at, self.settings.utc_offset)


def _make(making: _Making, only: set[int]) -> dict[str, Any]:
    """Write all files and look through them; returns what `publish` does."""
    # What is known of all processes is large, and gone before the files are looked through.
    head, personal, same = _write(making, only)
    files = write_manifest(making.out, head, making.last)
    _refuse_personal(making, personal, making.last if same else None)
    counts = {year: {name: each[name] for name in ("processes", "releases")} for year, each in head["years"].items()}
    return {"files": files, "years": counts, **head["changes"]}


def _write(making: _Making, only: set[int]) -> tuple[dict[str, Any], Personal, bool]:
    """Write all files but the manifest; returns its head, what must be in none of them, and whether what is as in the
    last publication could stay."""
    settings, out, last = making.settings, making.out, making.last
    for folder in (out, making.work):
        folder.mkdir()
    before = about(last) if last else {}
    fingerprint = _fingerprint(making)
    same = before.get("fingerprint") == fingerprint
    known = {each.package.ocid: each for each in known_in(_beside(last, _KNOWN))} if last and same else {}
    every = fiscal_years(making.conn, {ocid: each.package.year for ocid, each in known.items()})
    if unknown := only - set(every.values()):
        raise SettingsError(f"no process belongs to the fiscal year {min(unknown)}; without --year all are published")
    if only and (lost := {int(year) for year in before.get("years", ())} & set(every.values()) - only):
        raise SettingsError(
            f"the last publication has {_in_words(lost)} too, which would leave it: publish without --year (years in "
            "which nothing changed cost next to nothing), name those years as well, or give another folder"
        )
    chosen = {ocid: year for ocid, year in every.items() if not only or year in only}
    found = digests(making.conn, chosen)
    flags = flags_of(making.conn, chosen) if settings.site.red_flags else {}
    stay = {ocid: each for ocid, each in known.items() if last and _stays(each, found, flags, last)}
    news = {ocid: year for ocid, year in chosen.items() if ocid not in stay}
    for name, content in ocds.extension_files().items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
    write_codelists(out)
    with beside(settings, len(chosen)) as pool, out.with_name(_KNOWN).open("wb") as knowing:
        personal = pool.submit(personal_now, settings)
        years, tables = _make_years(making, chosen, found, before.get("years", {}) if same else {}, pool)
        changes = write_changes(making.conn, out, making.mark, last)
        pages = write_site(
            out,
            with_progress(processes(making.conn, news), len(news), "pages made"),
            settings,
            draft=making.draft,
            previous=last,
            count=len(news),
            conn=making.conn,
            known=stay.values(),
            knowing=knowing,
            pool=pool,
            files=tables,
        )
    log.info("pages of %d packages: %d written, %d as they were", len(chosen), pages["written"], pages["kept"])
    write_datapackage(out, settings, making.title)
    made_on = {year: local_time(each["made_at"], settings.utc_offset) for year, each in years.items()}
    write_catalog(out, settings, making.title, making.made_on, made_on)
    write_sitemap(out, metadata.site(settings))
    head = {
        "publisher": making.title,
        "draft": making.draft,
        "made_at": making.made_at,
        "since": before.get("made_at"),
        "fingerprint": fingerprint,
        "years": years,
        "changes": changes,
    }
    return head, personal.result(), same


def _in_words(years: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(years)))


def _beside(publication: Path, what: str) -> Path:
    """The file of what is known of a publication."""
    return publication.with_name(what + publication.name)


def _fingerprint(making: _Making) -> str:
    """Of all that files hold beside the processes: where it is another, nothing of the last publication is kept."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(code_fingerprint().encode())
    for path in sorted(Path(str(reports.__file__)).parent.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.name.encode() + path.read_bytes())
    elsewhere = {"warehouse_url", "dumps", "workers", "shards", "alerts", "sources", "links", "publish_to"}
    own = making.settings.model_dump(mode="json", exclude=elsewhere)
    digest.update(repr((sorted(own.items()), making.draft, making.with_versions)).encode())
    return digest.hexdigest()


def _stays(known: Known, found: Mapping[str, str], flags: Mapping[str, list[str]], last: Path) -> bool:
    """Whether all that is known of a package is as it was, by the digests and flags of now, and its files are there."""
    if known.wanting:
        return False
    ocid = known.package.ocid
    same = known.digest == found.get(ocid) and known.flags == flags.get(ocid, [])
    return same and all(os.path.isfile(f"{last}/{name}") for name in files_of_package(ocid))


def _make_years(
    making: _Making, chosen: dict[str, int], found: Mapping[str, str], known: dict[str, Any], pool: Executor
) -> tuple[dict[str, Any], list[Future[None]]]:
    """Write the files of each year, or keep those of the last publication where nothing in it is another. Returns
    `{year: {"digest", "made_at", "processes", "releases"}}`, the latest first, and what is done once `pool` has written
    the tables; `known` is that of the last publication, `found` are the digests of the processes."""
    of_years: dict[int, Any] = defaultdict(lambda: hashlib.blake2b(digest_size=16))
    for ocid, year in chosen.items():
        of_years[year].update(f"{ocid} {found[ocid]} ".encode())
    made: dict[str, Any] = {}
    tables = []
    for year in sorted(of_years, reverse=True):
        name, digest = str(year), of_years[year].hexdigest()
        folder = making.out / "data" / name
        if making.last and known.get(name, {}).get("digest") == digest:
            kept(making.last / "data" / name, folder)
            made[name] = known[name]
            log.info("%d: %d processes, as they were", year, known[name]["processes"])
            continue
        counts, written = write_year(
            making.conn,
            {ocid: each for ocid, each in chosen.items() if each == year},
            folder,
            making.work / name,
            partial(_package, making, year),
            mark=making.mark,
            heading=_heading(making, year),
            with_versions=making.with_versions,
            pool=pool,
        )
        tables.append(written)
        made[name] = {"digest": digest, "made_at": making.made_at, **counts}
        log.info("%d: %d processes, %d releases", year, counts["processes"], counts["releases"])
    return made, tables


def _package(making: _Making, year: int, name: str) -> dict[str, Any]:
    return metadata.package(making.settings, f"data/{year}/{name}", making.made_on, draft=making.draft)


def _heading(making: _Making, year: int) -> str:
    lines = [
        f"{making.title}, tahun anggaran {year}",
        f"Dibuat {texts.day_text(making.made_on)}. Jumlah dalam rupiah.",
        "Tiap baris pada lembar Paket adalah satu proses pengadaan; OCID menghubungkan lembar-lembar.",
    ]
    if making.draft:
        lines.insert(0, "DRAF: belum untuk disebarkan")
    return "\n".join(lines)


def _refuse_personal(making: _Making, personal: Personal, last: Path | None) -> None:
    """Raise SettingsError where a file may hold what is personal. What is as in the `last` publication is not read
    again, unless it may hold what wasn't known to be personal then."""
    marks = Marks.read(_beside(last, _MARKS)) if last else Marks()
    if not marks.none_of(personal.values):
        last, marks = None, Marks()
    found = list(scan(making.out, personal, making.settings, last, marks.add))
    marks.write(making.out.with_name(_MARKS), personal.values)
    if found:
        shown = "; ".join(f"{each.path}: {each.kind}" for each in found[:10])
        raise SettingsError(
            f"the new publication holds what may be personal, at {len(found)} places: {shown}. The last one stays. "
            "Mend the row at its source and void what says it (`jejak void OCID PATH --reason ... --erase`), or "
            "where the text means something else add it to the setting not_personal"
        )
