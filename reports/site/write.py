"""The pages of a publication: one per package, and the lists, totals, feeds and search that lead to it.

Streaming: a package's page is written when the package comes; what lists need of it is kept. The same input gives the
same bytes. A page whose package and design are those of the previous publication is taken over as it is, with its time:
the head of each names a digest of both.
"""

import hashlib
import os
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import quote, urlsplit

import jinja2
import orjson
from markupsafe import Markup
from sqlalchemy import Connection

from pipeline.build import Shared, Snapshot, context_of, snapshots
from pipeline.registry import SERVICES, code_fingerprint
from pipeline.workers import AtOnce, spread, uncollected
from reports.process import giving_services
from reports.publication import metadata as about
from reports.publication.files import names_of
from reports.publication.processes import PublishedProcess
from reports.publication.qr import qr_code
from reports.site import photos, texts
from reports.site.asked import Proposal, flags_of, proposals_without_package
from reports.site.chart import plotted
from reports.site.known import Known, line_of
from reports.site.package import (
    Fact,
    Package,
    amount_of,
    beside,
    file_name,
    photos_of,
    process_words,
    shown_paths,
    summary,
    view,
)
from reports.site.places import Place, place_around, stated_place
from reports.site.search import write_search
from schemas.settings import Settings
from warehouse.tables import STAGES

Object = dict[str, Any]
_BATCH = 200
_PAGE_BYTES = 72_000  # of a list's entries; with its frame a page stays below 100 kB
_LINKS = 500  # in one page of a directory
_FEED = 50
_MOST_IN_FEED = 500  # in that of all, which holds what changed in a week
_NEWS_DAYS = 7
_LATE = 20
_NAVIGATION = (
    ("search", "cari/index.html"),
    ("places", "tempat/index.html"),
    ("offices", "instansi/index.html"),
    ("changes", "perubahan/index.html"),
    ("ask", "tanya.html"),
)
_FOOTER = (
    ("months", "bulan/index.html"),
    ("suppliers", "penyedia/index.html"),
    ("glossary", "istilah.html"),
    ("data", "data.html"),
)
_KIND = re.compile(r"(?:draft-)?([a-z_]+)(?:-\d+)?\.[a-z.]+")
_MOST_FAILURES = 3  # times
_GAPS = ("gap.stages", "gap.places", "gap.payments", "gap.history", "gap.persons")


@dataclass(frozen=True, slots=True)
class Site:
    """What is the same on all pages; `url` has no slash at its end and is empty where none is set."""

    name: str
    url: str
    draft: bool
    license: str | None
    policy: str | None
    complaints: str | None


@dataclass(slots=True)
class _Totals:
    """What the stream of processes leaves behind."""

    packages: list[Package] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    services: dict[str, tuple[str, int]] = field(default_factory=dict)
    related: set[str] = field(default_factory=set)
    written: int = 0
    kept: int = 0

    def add(self, known: Known) -> None:
        """One more package."""
        self.packages.append(known.package)
        self.digests[known.package.ocid] = known.digest
        self.related.update(known.related)
        for service, seen in known.services.items():
            newest, count = self.services.get(service, ("", 0))
            self.services[service] = (max(newest, seen), count + 1)


class _Line(NamedTuple):
    """A proposal on the page of its place, with the package that it led to, if it did."""

    title: str
    status: str | None
    amount: float | None
    ocid: str | None
    package: str
    state: str | None


def write_site(
    out: Path,
    processes: Iterable[PublishedProcess],
    settings: Settings,
    *,
    draft: bool,
    previous: Path | None,
    count: int = 0,
    conn: Connection | None = None,
    known: Iterable[Known] = (),
    knowing: IO[bytes] | None = None,
    pool: Executor | None = None,
    files: Iterable[Future[Any]] = (),
) -> dict[str, int]:
    """Write the pages of `processes` (by OCID) into the folder `out`, and return how many package pages were `written`
    and how many `kept`.

    There are `count` processes; the pages of many are made in workers. `known` are other packages, whose pages are in
    `previous` as they have to be. `knowing` gets what is known of all packages now.

    `pool` makes the search, at once where none is given. `files` are done once all is in `data/` that is to be listed.

    `previous` is the folder of the publication before: files that would come out the same are linked, not written.
    `conn` reads the warehouse of the processes: which service gives a figure, proposals without a package, and, if a
    setting publishes them, red flags. Without it the page has none of these.
    """
    site = Site(
        settings.name,
        (settings.site_url or "").rstrip("/"),
        draft,
        settings.license,
        settings.publication_policy,
        settings.site.complaints_url,
    )
    writer = _Writer(out, previous, site, settings)
    totals = _Totals()
    _keep_packages(writer, known, totals, knowing)
    _write_packages(writer, processes, count, totals, conn, knowing)
    for ocid in sorted(totals.related - {each.ocid for each in totals.packages}):
        # Rows name it, but no row of its own announces it: whoever follows the link reads so.
        title = f"{texts.plain('waiting')}: {ocid}"
        writer.page(f"proses/{file_name(ocid)}.html", "waiting.html", ocid=ocid, title=title, description=title)
    pool = pool or AtOnce()
    search = _write_lists(writer, totals, proposals_without_package(conn) if conn else [], pool)
    for done in (*search, *files):
        done.result()
    _write_files(writer)
    _write_assets(writer)
    return {"written": totals.written, "kept": totals.kept}


class _Writer:
    """Renders templates and puts files where they belong, or takes them over from the publication before."""

    def __init__(self, out: Path, previous: Path | None, site: Site, settings: Settings) -> None:
        self.out, self.previous, self.site, self.settings = out, previous, site, settings
        self.offset = settings.utc_offset
        self.folders: set[str] = set()
        self.failures: Counter[str] = Counter()  # how often hosts have failed in a row
        self.wanted: set[str] = set()  # photos that could not be fetched now
        self.environment = _environment(site, settings.utc_offset)
        macros: Any = self.environment.get_template("macros.html").module
        self.item, self.line, self.news = macros.item, macros.proposal, macros.news
        # Longer than NIP, NIK and NPWP: a digest whose digits all happen to be decimal must not look like one.
        self.design = hashlib.blake2b(
            repr((_code(), code_fingerprint(), site, settings.utc_offset, settings.site)).encode(), digest_size=16
        )

    def digest(self, process: PublishedProcess, flags: Sequence[str]) -> str:
        """Of all that a package's page is made of."""
        found = self.design.copy()
        found.update(f"{process.ocid} {process.fiscal_year} {process.digest} {flags}".encode())
        return found.hexdigest()

    def page(self, path: str, template: str, **context: Any) -> None:
        """Write a page from a template; `path` is relative to the publication."""
        root = "../" * path.count("/")
        given = {"root": root, "path": quote(path), "digest": None, "feed": None, "here": None, **context}
        self.put(path, self.environment.get_template(template).render(given).encode())

    def put(self, path: str, content: bytes) -> None:
        """Write a file, or link that of the publication before where it has the same bytes."""
        target = self.place(path)
        if self.previous and _same(self.previous / path, content):
            _link(self.previous / path, target)
        else:
            target.write_bytes(content)

    def kept(self, paths: Sequence[str], digest: str) -> bool:
        """Take over files of the publication before if the first, a page, names this digest."""
        if self.previous is None:
            return False
        old = [self.previous / path for path in paths]
        try:
            with old[0].open("rb") as file:
                head = file.read(200)
        except OSError:
            return False
        if f'name="jejak-digest" content="{digest}"'.encode() not in head or not all(path.is_file() for path in old):
            return False
        self.take(paths)
        return True

    def take(self, paths: Iterable[str]) -> None:
        """Take over files of the publication before."""
        assert self.previous is not None
        for name in paths:
            self.make_folder(name)
            _link(f"{self.previous}/{name}", f"{self.out}/{name}")

    def place(self, path: str) -> Path:
        """Where a file goes, its folder made."""
        self.make_folder(path)
        return self.out / path

    def make_folder(self, path: str) -> None:
        """Make the folder of a file."""
        folder = path.rpartition("/")[0]
        if folder not in self.folders:
            (self.out / folder).mkdir(parents=True, exist_ok=True)
            self.folders.add(folder)

    def has(self, urls: Sequence[str]) -> bool:
        """Whether the publication before has the copies of photos, where copies are asked for."""
        names = map(photos.name_of, urls if self.settings.site.photos == "copy" else ())
        return all(self.previous is not None and (self.previous / name).is_file() for name in names)

    def copies(self, urls: Sequence[str], *, fetch: bool) -> dict[str, str]:
        """Of photos the address of the small copy as a package's page names it, where copies are asked for and to be
        had: that of the publication before, or a new one."""
        found = {}
        for url in urls if self.settings.site.photos == "copy" else ():
            name = photos.name_of(url)
            if (self.out / name).is_file():
                pass  # another package shows it, too
            elif self.previous and (self.previous / name).is_file():
                self.put(name, (self.previous / name).read_bytes())
            elif fetch and (content := self._fetched(url)):
                self.put(name, content)
            if (self.out / name).is_file():
                found[url] = f"../{name}"
        return found

    def _fetched(self, url: str) -> bytes | None:
        """The small copy of a photo, if it is to be had. A host that failed three times in a row is not asked again."""
        host = urlsplit(url).netloc
        content = photos.fetched(url) if self.failures[host] < _MOST_FAILURES else None
        if content is None:
            self.failures[host] += 1
            self.wanted.add(url)
        else:
            self.failures[host] = 0
        return content


def _same(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _link(old: Path | str, new: Path | str) -> None:
    try:
        os.link(old, new)
    except OSError:  # another file system, or one without links
        shutil.copy2(old, new)


@cache
def _code() -> str:
    """A digest of what makes the pages: this package's code, templates and texts."""
    found = hashlib.blake2b(digest_size=16)
    folder = Path(str(resources.files("reports.site")))
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            found.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return found.hexdigest()


def _environment(site: Site, offset: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports.site"),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=False,
        keep_trailing_newline=True,
    )
    environment.filters["shortened"] = lambda text, length: texts.shortened(str(text), length)
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "ensure_ascii": False}
    environment.globals |= {
        "site": site,
        "t": texts.t,
        "plain": texts.plain,
        "known": texts.known,
        "term": texts.term,
        "day": texts.day,
        "rupiah": texts.rupiah,
        "number_of": texts.number,
        "percent": texts.percent,
        "size": texts.size,
        "name": file_name,
        "process_words": process_words,
        "plotted": plotted,
        "kind_of": texts.kind_of,
        "amount_of": amount_of,
        "common": _common,
        "system": lambda service: SERVICES[service][0],
        "local": lambda moment: local(moment, offset),
        "navigation": _NAVIGATION,
        "footer": _FOOTER,
    }
    return environment


def _common(facts: Sequence[Fact], origin: Mapping[tuple[str, ...], Markup]) -> Markup | None:
    """The origin that all facts of a list share; None where they differ, or one has none."""
    found = {origin.get(fact.path) for fact in facts}
    return found.pop() if len(found) == 1 else None


def local(moment: str, offset: str) -> str:
    """A UTC time as the local time of an offset (`+07:00`), ISO text."""
    at = datetime.fromisoformat(moment)
    return at.astimezone(datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo).isoformat()


# ------------------------------------------------------------------------------------------------------- package pages


def _keep_packages(writer: _Writer, known: Iterable[Known], totals: _Totals, knowing: IO[bytes] | None) -> None:
    for each in known:
        writer.take(files_of_package(each.package.ocid))
        writer.copies(each.photos, fetch=False)
        totals.kept += 1
        totals.add(each)
        if knowing:
            knowing.write(line_of(each))


def files_of_package(ocid: str) -> tuple[str, str]:
    """The page of a package, and its JSON."""
    return f"proses/{file_name(ocid)}.html", f"proses/{file_name(ocid)}.json"


@dataclass(frozen=True, slots=True)
class _Given:
    """What the entry of a package is made of: `photos` are the addresses in its process, `copies` those of the small
    copies. `digest` is that of its page, None where the last one was taken over; `snapshot` has the rows behind it."""

    process: PublishedProcess
    flags: list[str]
    photos: list[str]
    copies: dict[str, str]
    wanting: bool
    digest: str | None
    snapshot: Snapshot | None = None


def _write_packages(
    writer: _Writer,
    processes: Iterable[PublishedProcess],
    count: int,
    totals: _Totals,
    conn: Connection | None,
    knowing: IO[bytes] | None,
) -> None:
    """Read here, in the one state of the warehouse that `conn` has; the pages are made in workers."""
    context = context_of(conn, writer.settings) if conn else None
    batches = _batches(writer, processes, conn)
    of_writer = (writer.out, writer.previous, writer.site, writer.settings)
    for results in spread(writer.settings, count, _write_batch, batches, _begin, context, *of_writer):
        for known, written in results:
            totals.add(known)
            totals.written += written
            totals.kept += not written
            if knowing:
                knowing.write(line_of(known))


def _batches(writer: _Writer, processes: Iterable[PublishedProcess], conn: Connection | None) -> Iterator[list[_Given]]:
    stream = iter(processes)
    while batch := list(islice(stream, _BATCH)):
        flags = flags_of(conn, [each.ocid for each in batch]) if conn and writer.settings.site.red_flags else {}
        given = []
        for process in batch:
            own, urls = flags.get(process.ocid, []), photos_of(process.state)
            digest = writer.digest(process, own)
            stays = writer.has(urls) and writer.kept(files_of_package(process.ocid), digest)
            copies = writer.copies(urls, fetch=not stays)
            wanting = not writer.wanted.isdisjoint(urls)
            given.append(_Given(process, own, urls, copies, wanting, None if stays else digest))
        written = dict.fromkeys((each.process.ocid for each in given if each.digest), "")
        rows = {each.ocid: each for each in snapshots(conn, written)} if conn else {}
        yield [replace(each, snapshot=rows.get(each.process.ocid)) for each in given]


_worker: list[tuple[_Writer, Shared | None]] = []


def _begin(context: Shared | None, *of_writer: Any) -> None:
    """Give a worker what all pages share, once."""
    _worker[:] = [(_Writer(*of_writer), context)]


def _write_batch(batch: Sequence[_Given]) -> list[tuple[Known, bool]]:
    """Write the pages of packages; returns what is known of each, and whether its page was written. Runs in a
    worker."""
    writer, context = _worker[0]
    found = []
    with uncollected():
        for given in batch:
            process, package = given.process, summary(given.process)
            related = sorted(
                filter(None, (each.get("identifier") for each in process.state.get("relatedProcesses") or ()))
            )
            known = Known(
                package, process.digest, given.flags, process.services, related, given.photos, wanting=given.wanting
            )
            if given.digest:
                shown = view(process, package)
                shown["origin"] = _origin(writer, given, context, shown_paths(shown))
                shown["beside"] = beside(shown["state"], shown["origin"])
                shown["copies"] = given.copies
                shown["flags"] = given.flags
                _write_package(writer, process, package, given.digest, shown)
            found.append((known, given.digest is not None))
    return found


def _origin(
    writer: _Writer, given: _Given, context: Shared | None, paths: Iterable[list[str]]
) -> dict[tuple[str, ...], Markup]:
    """What stands beside a figure, by its path: the system that gives it, and when its row was read."""
    if given.snapshot is None or context is None:
        return {}
    read = given.process.services
    return {
        path: Markup("{}, {}").format(
            texts.t(f"from.{SERVICES[service][0]}"), texts.day(local(read[service], writer.offset))
        )
        for path, service in giving_services(given.snapshot, context, writer.settings, paths).items()
        if service in read
    }


def _write_package(
    writer: _Writer, process: PublishedProcess, package: Package, digest: str, shown: Mapping[str, Any]
) -> None:
    file = file_name(process.ocid)
    path = f"proses/{file}.html"
    address = f"{writer.site.url}/{quote(path)}"
    metadata = about.package(
        writer.settings, f"proses/{quote(file)}.json", process.releases[-1].date, draft=writer.site.draft
    )
    bodies = [release.body for release in process.releases]
    metadata["records"] = [{"ocid": process.ocid, "releases": bodies, "compiledRelease": process.record}]
    writer.page(
        path,
        "package.html",
        digest=digest,
        title=texts.shortened(package.title, 120),
        description=_described(package),
        file=file,
        dataset=_dataset(writer, package, path),
        qr=qr_code(address) if writer.site.url else None,
        **shown,
    )
    writer.put(f"proses/{file}.json", orjson.dumps(metadata, option=orjson.OPT_SORT_KEYS) + b"\n")


def _described(package: Package) -> str:
    """One line for who shares the page."""
    money = amount_of(package)
    parts = [
        texts.plain(f"state.{package.status}"),
        f"{texts.plain(money[0])} {texts.rupiah_text(money[1])}" if money else "",
        package.office[1] if package.office else "",
        *(place.name for place in package.places[:2]),
        str(package.year),
    ]
    return " · ".join(filter(None, parts))


def _dataset(writer: _Writer, package: Package, path: str) -> Object:
    """The package as a Dataset of schema.org."""
    site = writer.site
    found: Object = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": package.title,
        "description": _described(package),
        "identifier": package.ocid,
        "inLanguage": "id",
        "dateModified": package.date,
        "isAccessibleForFree": True,
        "creator": {"@type": "GovernmentOrganization", "name": site.name},
        "spatialCoverage": [place.name for place in package.places] or site.name,
    }
    if site.license:
        found["license"] = site.license
    if site.url:
        found["url"] = f"{site.url}/{quote(path)}"
        found["includedInDataCatalog"] = {"@type": "DataCatalog", "name": site.name, "url": f"{site.url}/"}
        found["distribution"] = [
            {
                "@type": "DataDownload",
                "encodingFormat": "application/json",
                "contentUrl": f"{site.url}/{quote(path.removesuffix('.html'))}.json",
            }
        ]
    return found


# --------------------------------------------------------------------------------------------------------------- lists


def _write_lists(writer: _Writer, totals: _Totals, proposals: list[Proposal], pool: Executor) -> Sequence[Future[Any]]:
    """All that leads to the packages; returns what is done once the search is there."""
    packages = sorted(totals.packages, key=lambda each: (-each.year, each.title.lower(), each.ocid))
    indexes, search = write_search(writer.out, packages, totals.digests, writer.previous, writer.design.digest(), pool)
    items = {each.ocid: str(writer.item(each, "../")) for each in packages}
    data_day = max((each.date[:10] for each in packages), default="")
    families: dict[str, tuple[bool, ...]] = {}
    for each in packages:
        before = families.get(each.family, (False,) * len(STAGES))
        families[each.family] = tuple(map(any, zip(before, each.stages, strict=True)))
    _write_offices(writer, packages, items, families, data_day)
    _write_places(writer, packages, items, proposals)
    _write_months(writer, packages, items)
    _write_suppliers(writer, packages, items)
    news = _write_changes(writer, packages, items)
    years = sorted(indexes, reverse=True)
    writer.page(
        "cari/index.html",
        "search.html",
        here="search",
        indexes=indexes,
        years=years,
        **_words("nav.search", "search.label"),
    )
    _write_texts(writer, totals, packages, data_day)
    _write_index(writer, packages, families, news)
    return search


def _words(title: str, description: str) -> Object:
    return {"title": texts.plain(title), "description": texts.plain(description).replace("{}", "").strip()}


def _pages(entries: Sequence[str]) -> list[list[str]]:
    """Entries of a list divided so that no page becomes heavy; one page, if empty, where there are none."""
    pages: list[list[str]] = [[]]
    size = 0
    for entry in entries:
        length = len(entry.encode())
        if pages[-1] and size + length > _PAGE_BYTES:
            pages.append([])
            size = 0
        pages[-1].append(entry)
        size += length
    return pages


def _write_list(
    writer: _Writer, folder: str, file: str, packages: Sequence[Package], items: Mapping[str, str], **context: Any
) -> None:
    """The pages of one list; proposals, if any, stand before its packages."""
    lines = context.pop("lines", [])
    marked = [*((True, line) for line in lines), *((False, items[each.ocid]) for each in packages)]
    pages = _pages([entry for _, entry in marked])
    done = 0
    for number, page in enumerate(pages, 1):
        own = marked[done : done + len(page)]
        done += len(page)
        writer.page(
            f"{folder}/{file}{f'-{number}' if number > 1 else ''}.html",
            "list.html",
            number=number,
            count=len(pages),
            stem=file,
            items=Markup("".join(entry for is_line, entry in own if not is_line)),
            proposals=Markup("".join(entry for is_line, entry in own if is_line)),
            **context,
        )


def _write_offices(
    writer: _Writer,
    packages: Sequence[Package],
    items: Mapping[str, str],
    families: Mapping[str, tuple[bool, ...]],
    data_day: str,
) -> None:
    offices: dict[str, list[Package]] = defaultdict(list)
    names: dict[str, str] = {}
    for each in packages:
        if each.office:
            offices[each.office[0]].append(each)
            names[each.office[0]] = min(names.get(each.office[0], each.office[1]), each.office[1])
    for office, own in offices.items():
        file = file_name(office)
        late = [each for each in own if each.due and each.due < data_day]
        figures = [
            ("figure.packages", texts.number(len(own))),
            ("figure.budget", texts.rupiah(_sum(each.planned for each in own if _counts(each)))),
            ("figure.contracts", texts.rupiah(_sum(each.contracted for each in own))),
            ("figure.recorded", texts.rupiah(_sum(each.recorded for each in own))),
            ("figure.late", texts.number(sum(each.late_days > 0 for each in own))),
            ("figure.overdue", texts.number(len(late))),
        ]
        feed = f"umpan/instansi-{file}.atom"
        _write_list(
            writer,
            "instansi",
            file,
            own,
            items,
            title=names[office],
            heading=names[office],
            description=f"{names[office]}: {texts.plain('nav.offices.lead')}",
            crumbs=[("index.html", texts.t("nav.offices"))],
            figures=figures,
            stages=_stages([families[name] for name in {each.family for each in own}]),
            late=Markup("".join(items[each.ocid] for each in sorted(late, key=_due)[:_LATE])),
            data_day=data_day,
            feed=feed,
        )
        _write_feed(writer, feed, names[office], f"instansi/{file}.html", _newest(own)[:_FEED])
    nowhere = [each for each in packages if not each.office]
    _write_list(
        writer,
        "instansi",
        "tidak-disebut",
        nowhere,
        items,
        heading=texts.t("office.none"),
        crumbs=[("index.html", texts.t("nav.offices"))],
        **_words("office.none", "office.none"),
    )
    links = sorted(
        (names[office].upper(), file_name(office), names[office], len(own)) for office, own in offices.items()
    )
    listed: list[tuple[str, str, Markup | str, int]] = [("", f"{file}.html", name, n) for _, file, name, n in links]
    if nowhere:
        listed.append(("", "tidak-disebut.html", texts.t("office.none"), len(nowhere)))
    _write_directory(writer, "instansi", "offices", listed)


def _counts(package: Package) -> bool:
    """Whether a package's budget counts in sums."""
    return package.status not in ("cancelled", "withdrawn") and not package.deactivated


def _due(package: Package) -> tuple[str, str]:
    return package.due or "", package.ocid


def _sum(amounts: Iterable[float | None]) -> float:
    return sum(amount for amount in amounts if amount is not None)


def _stages(reached: Sequence[tuple[bool, ...]]) -> list[tuple[str, int, float]]:
    """Per stage how many reached it, and their share in percent."""
    counts = [sum(each[place] for each in reached) for place in range(len(STAGES))]
    return [(stage, count, _share(count, len(reached))) for stage, count in zip(STAGES, counts, strict=True)]


def _share(count: int, total: int) -> float:
    return round(100 * count / total, 1) if total else 0


def _write_places(
    writer: _Writer, packages: Sequence[Package], items: Mapping[str, str], proposals: Sequence[Proposal]
) -> None:
    places: dict[str, Place] = {}
    own: dict[str, list[Package]] = defaultdict(list)
    inside: dict[str, dict[str, Package]] = defaultdict(dict)
    asked: dict[str, dict[tuple[str, str, str], tuple[Place, _Line]]] = defaultdict(dict)

    def known(place: Place, district: str | None = None) -> Iterator[str]:
        """The place and those around it, each noted."""
        around: Place | None = place
        while around and around.kind != "province":
            places.setdefault(around.key, around)
            yield around.key
            around = place_around(around, district)

    stated = (
        (proposal, stated_place(proposal.village, proposal.district, writer.settings.wilayah)) for proposal in proposals
    )
    alone = [(proposal, place) for proposal, place in stated if place]
    # What one package lost may stand with another, or without any: then it is shown there alone.
    standing = {(place.key, proposal.title) for proposal, place in alone}
    for each in packages:
        standing |= {(place.key, title) for place, title, status, _ in each.proposals if status != "withdrawn"}
    for each in packages:
        for place in each.places:
            own[place.key].append(each)
            for key in known(place, each.districts.get(place.key)):
                inside[key][each.ocid] = each
        for place, title, status, amount in each.proposals:
            if status == "withdrawn" and (place.key, title) in standing:
                continue
            line = _Line(title, status, amount, each.ocid, each.title, each.status)
            for key in known(place, each.districts.get(place.key)):
                # All processes of a family repeat its proposals: the plan's own comes first by its name.
                asked[key].setdefault((place.key, each.family, title), (place, line))
    for number, (proposal, there) in enumerate(alone):
        line = _Line(proposal.title, proposal.status, proposal.amount, None, "", None)
        for key in known(there, proposal.district):
            asked[key][there.key, "", str(number)] = there, line
    children: dict[str, list[Place]] = defaultdict(list)
    for place in places.values():
        if place.above:
            children[place.above].append(place)
    for key, place in sorted(places.items()):
        above = [found for found in [places.get(place.above or "")] if found]
        below = sorted(children[key], key=lambda each: (each.name.lower(), each.key))
        feed = None
        path = f"umpan/tempat-{file_name(key)}.atom"
        # Who follows a district goes on doing so when its last package has left it.
        if place.kind != "village" and (inside[key] or (writer.previous and (writer.previous / path).is_file())):
            feed = path
            newest = _newest(inside[key].values())[:_FEED]
            _write_feed(writer, feed, _place_title(place), f"tempat/{file_name(key)}.html", newest)
        _write_list(
            writer,
            "tempat",
            file_name(key),
            own[key],
            items,
            title=_place_title(place),
            heading=_place_heading(place),
            description=f"{_place_title(place)}: {texts.plain('nav.places.lead')}",
            crumbs=[
                ("index.html", texts.t("nav.places")),
                *((f"{file_name(each.key)}.html", each.name) for each in above),
            ],
            figures=[
                ("figure.packages", texts.number(len(inside[key]))),
                ("figure.proposals", texts.number(len(asked[key]))),
            ],
            links=[
                (
                    f"{file_name(each.key)}.html",
                    _place_heading(each),
                    len(inside[each.key]),
                    len(asked[each.key]),
                )
                for each in below
            ],
            links_heading="place.below",
            lines=_lines(writer, place, asked[key].values()),
            feed=feed,
        )
    nowhere = [each for each in packages if not each.places]
    _write_list(
        writer,
        "tempat",
        "tidak-disebut",
        nowhere,
        items,
        heading=texts.t("place.none"),
        lead=texts.t("place.none.hint"),
        crumbs=[("index.html", texts.t("nav.places"))],
        **_words("place.none", "place.none.hint"),
    )
    listed: list[tuple[str, str, Markup | str, int]] = []
    if nowhere:
        listed.append(("", "tidak-disebut.html", texts.t("place.none"), len(nowhere)))
    for place in sorted(places.values(), key=lambda each: (each.name.lower(), each.key)):
        if place.kind == "district" or (place.kind == "village" and place.above not in places):
            around = places.get(place.above or "")
            listed.append(
                (around.name if around else "", f"{file_name(place.key)}.html", place.name, len(inside[place.key]))
            )
    _write_directory(writer, "tempat", "places", sorted(listed, key=lambda each: each[0]))


def _lines(writer: _Writer, place: Place, asked: Collection[tuple[Place, _Line]]) -> list[str]:
    """The proposals that the page of a place lists: its own, and those of a district's villages where they fit on one
    page; else they stand on the pages of the villages alone."""
    own = [str(writer.line(line, "../", "")) for where, line in asked if where.key == place.key]
    if place.kind != "district":
        return own
    villages = sorted((each for each in asked if each[0].key != place.key), key=lambda each: each[0].name.lower())
    others = [str(writer.line(line, "../", where.name)) for where, line in villages]
    return [*own, *others] if len(_pages([*own, *others])) == 1 else own


def _place_title(place: Place) -> str:
    return place.name if _begins_with_kind(place) else f"{texts.plain(f'place.{place.kind}')} {place.name}"


def _place_heading(place: Place) -> Markup | str:
    return (
        place.name if _begins_with_kind(place) else Markup("{} {}").format(texts.known("place", place.kind), place.name)
    )


def _begins_with_kind(place: Place) -> bool:
    """Whether a place's name begins with what it is: `Kabupaten Bojonegoro`, `Kota Madiun`."""
    return place.kind == "regency" and place.name.startswith(("Kabupaten ", "Kota "))


def _write_months(writer: _Writer, packages: Sequence[Package], items: Mapping[str, str]) -> None:
    months: dict[str, list[Package]] = defaultdict(list)
    for each in packages:
        months[each.month or ""].append(each)
    links = []
    for month in sorted(months, reverse=True):
        title = texts.month_text(month) if month else texts.plain("months.none")
        _write_list(
            writer,
            "bulan",
            month or "tanpa-tanggal",
            months[month],
            items,
            title=title,
            heading=texts.month(month) if month else texts.t("months.none"),
            description=f"{title}: {texts.plain('nav.months.lead')}",
            lead=texts.t("nav.months.lead"),
            crumbs=[("index.html", texts.t("nav.months"))],
        )
        shown = texts.month(month) if month else texts.t("months.none")
        links.append((month[:4], f"{month or 'tanpa-tanggal'}.html", shown, len(months[month])))
    _write_directory(writer, "bulan", "months", links)


def _write_suppliers(writer: _Writer, packages: Sequence[Package], items: Mapping[str, str]) -> None:
    suppliers: dict[str, list[Package]] = defaultdict(list)
    names: dict[str, str] = {}
    awarded: Counter[str] = Counter()
    won: Counter[str] = Counter()
    for each in packages:
        for supplier, name, amount, stands in each.suppliers:
            suppliers[supplier].append(each)
            names[supplier] = min(names.get(supplier, name), name)
            awarded[supplier] += amount or 0  # type: ignore[assignment]
            won[supplier] += stands
    for supplier, own in suppliers.items():
        _write_list(
            writer,
            "penyedia",
            file_name(supplier),
            own,
            items,
            title=names[supplier],
            heading=names[supplier],
            description=f"{names[supplier]}: {texts.plain('nav.suppliers.lead')}",
            crumbs=[("index.html", texts.t("nav.suppliers"))],
            lead=texts.t("supplier.lead"),
            figures=[("figure.won", texts.number(won[supplier])), ("figure.awarded", texts.rupiah(awarded[supplier]))],
        )
    links = sorted((names[each].upper(), each) for each in suppliers if won[each])
    listed = [(upper[:1], f"{file_name(each)}.html", names[each], won[each]) for upper, each in links]
    _write_directory(writer, "penyedia", "suppliers", listed)


def _write_directory(
    writer: _Writer, folder: str, name: str, links: Sequence[tuple[str, str, Markup | str, int]]
) -> None:
    """A page that leads to lists: of each its group's heading, file, name and number of packages."""
    parts = [links[start : start + _LINKS] for start in range(0, len(links), _LINKS)] or [[]]
    for number, part in enumerate(parts, 1):
        groups: dict[str, list[tuple[str, Markup | str, int]]] = {}
        for heading, to, text, count in part:
            groups.setdefault(heading, []).append((to, text, count))
        writer.page(
            f"{folder}/index{f'-{number}' if number > 1 else ''}.html",
            "directory.html",
            here=name,
            key=f"nav.{name}",
            groups=list(groups.items()),
            number=number,
            count=len(parts),
            **_words(f"nav.{name}", f"nav.{name}.lead"),
        )


def _write_changes(writer: _Writer, packages: Sequence[Package], items: Mapping[str, str]) -> list[Package]:
    """What is new in the week up to the newest release, by when releases were made, and the feed of it; the newest
    packages."""
    newest = _newest(packages)
    days = [local(each.made_at, writer.offset)[:10] for each in newest]
    last_day = days[0] if days else ""
    first_day = (date.fromisoformat(last_day) - timedelta(_NEWS_DAYS - 1)).isoformat() if days else ""
    news = [each for each, day in zip(newest, days, strict=True) if day >= first_day]
    pages = _pages([str(writer.news(each, items[each.ocid])) for each in news])
    for number, page in enumerate(pages, 1):
        writer.page(
            f"perubahan/index{f'-{number}' if number > 1 else ''}.html",
            "changes.html",
            here="changes",
            number=number,
            count=len(pages),
            items=Markup("".join(page)),
            first_day=first_day,
            last_day=last_day,
            feed="umpan/semua.atom",
            **_words("changes.title", "changes.lead"),
        )
    shown = newest[: min(max(len(news), _FEED), _MOST_IN_FEED)]
    _write_feed(writer, "umpan/semua.atom", texts.plain("changes.title"), "perubahan/index.html", shown)
    return newest[:8]


def _newest(packages: Iterable[Package]) -> list[Package]:
    """Packages by when their newest release was made, the latest first."""
    ordered = sorted(packages, key=lambda each: each.ocid)
    ordered.sort(key=lambda each: (each.made_at, each.date), reverse=True)
    return ordered


def _write_feed(writer: _Writer, path: str, title: str, page: str, packages: Sequence[Package]) -> None:
    """A feed of packages, the newest first; `page` shows the same."""
    site = writer.site
    entries = []
    for each in packages:
        link = f"proses/{quote(file_name(each.ocid))}.html"
        entries.append(
            {
                "id": f"{site.url}/{link}#{each.date}" if site.url else f"urn:jejak:{each.ocid}:{each.date}",
                "link": f"{site.url}/{link}" if site.url else f"../{link}",
                "package": each,
                "words": ", ".join(map(texts.plain, each.news)),
            }
        )
    content = writer.environment.get_template("feed.xml").render(
        id=f"{site.url}/{path}" if site.url else f"urn:jejak:{path}",
        title=f"{title} · {about.title(writer.settings, draft=site.draft)}",
        updated=packages[0].made_at if packages else "1970-01-01T00:00:00Z",
        path=path,
        page=f"{site.url}/{quote(page)}" if site.url else f"../{quote(page)}",
        entries=entries,
    )
    writer.put(path, content.encode())


# --------------------------------------------------------------------------------------------------------- other pages


def _write_texts(writer: _Writer, totals: _Totals, packages: Sequence[Package], data_day: str) -> None:
    writer.page(
        "istilah.html",
        "glossary.html",
        here="glossary",
        words=texts.glossary(),
        **_words("nav.glossary", "glossary.lead"),
    )
    writer.page("tanya.html", "ask.html", here="ask", **_words("nav.ask", "ask.lead"))
    years: dict[int, list[Package]] = defaultdict(list)
    for each in packages:
        years[each.year].append(each)
    writer.page(
        "data.html",
        "data.html",
        here="data",
        data_day=data_day,
        stage_names=STAGES,
        years=[
            (year, len(own), [sum(each.stages[place] for each in own) for place in range(len(STAGES))])
            for year, own in sorted(years.items(), reverse=True)
        ],
        services=[(service, *totals.services[service]) for service in sorted(totals.services)],
        gaps=_GAPS,
        **_words("nav.data", "data.lead"),
    )


def _write_index(
    writer: _Writer, packages: Sequence[Package], families: Mapping[str, tuple[bool, ...]], news: Sequence[Package]
) -> None:
    kinds = [{place.kind for place in each.places} for each in packages]
    villages = sum("village" in each for each in kinds)
    wider = sum(bool(each) and "village" not in each for each in kinds)
    shares = (("village", villages), ("district", wider), ("none", len(packages) - villages - wider))
    offices = {each.office[0] for each in packages if each.office}
    doors = [
        ("places", "tempat/index.html", len({p.key for each in packages for p in each.places if p.kind == "village"})),
        ("offices", "instansi/index.html", len(offices)),
        ("months", "bulan/index.html", None),
        (
            "suppliers",
            "penyedia/index.html",
            len({firm for each in packages for firm, *_, won in each.suppliers if won}),
        ),
    ]
    title = texts.plain("home.title")
    writer.page(
        "index.html",
        "index.html",
        here="home",
        title=title,
        description=texts.plain("home.lead").replace("{}", writer.site.name),
        feed="umpan/semua.atom",
        doors=doors,
        figures=[
            ("figure.packages", texts.number(len(packages))),
            ("figure.complete", texts.number(sum(all(each) for each in families.values()))),
            ("figure.contracts", texts.rupiah(_sum(each.contracted for each in packages))),
            ("figure.recorded", texts.rupiah(_sum(each.recorded for each in packages))),
        ],
        stages=_stages(list(families.values())),
        place_shares=[(key, count, _share(count, len(packages))) for key, count in shares],
        news=Markup("".join(str(writer.item(each, "")) for each in news)),
        dataset={
            "@context": "https://schema.org",
            "@type": "Dataset",
            "name": f"{title} · {writer.site.name}",
            "description": texts.plain("home.lead").replace("{}", writer.site.name),
            "inLanguage": "id",
            "isAccessibleForFree": True,
            "creator": {"@type": "GovernmentOrganization", "name": writer.site.name},
            **({"url": f"{writer.site.url}/"} if writer.site.url else {}),
            **({"license": writer.site.license} if writer.site.license else {}),
        },
    )


def _write_files(writer: _Writer) -> None:
    """The page that lists the files in `data/`, and what explains them: of each its path from there, its size, and the
    key of what it is."""
    lists: dict[str, list[tuple[str, int, str]]] = defaultdict(list)
    for name, size in _sizes(writer.out / "data"):
        *above, file = name.split("/")
        kind = _KIND.fullmatch(file)
        key = "file.csv" if above[-1:] == ["csv"] else f"file.{kind[1] if kind else ''}"
        lists[above[0] if above else ""].append((name, size, key))
    folders = ("extensions", "codelists")
    codes = [(f"../{each}/{name}", size, "") for each in folders for name, size in _sizes(writer.out / each)]
    writer.page(
        "data/index.html",
        "files.html",
        here="data",
        general=lists.pop("", []),
        codes=codes,
        years=[
            (year, [each for each in own if each[2] != "file.csv"], [each for each in own if each[2] == "file.csv"])
            for year, own in sorted(lists.items(), reverse=True)
        ],
        **_words("files.title", "files.lead"),
    )


def _sizes(folder: Path) -> Iterator[tuple[str, int]]:
    """The files below a folder, which may be missing, with their bytes."""
    return ((name, os.stat(f"{folder}/{name}").st_size) for name in (names_of(folder) if folder.is_dir() else ()))


def _write_assets(writer: _Writer) -> None:
    for asset in sorted((resources.files("reports.site") / "static").iterdir(), key=lambda each: each.name):
        writer.put(f"aset/{asset.name}", asset.read_bytes())
    writer.put("aset/en.js", texts.english())
