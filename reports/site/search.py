"""The search: one index per fiscal year, in parts small enough to be made in little memory, loaded by the browser on
first use."""

import hashlib
import math
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from filecmp import cmp
from importlib.metadata import version
from pathlib import Path

from markupsafe import Markup
from pagefind_bin import get_executable

from reports.publication.files import files_of, kept
from reports.site.package import Package, amount_of, file_name
from reports.site.texts import plain, rupiah_text
from transforms.parties import is_personal

_PART = 10_000  # packages in one index: while it is made, pagefind takes 0.4 GiB for so many
_NOT_CODE = re.compile(r"[^0-9A-Za-z]+")
_DIGEST = "digest.txt"
# What the search page asks for; the rest of what pagefind writes are interfaces of its own.
_NEEDED = ("pagefind.js", "pagefind-worker.js", "pagefind-entry.json")


def write_search(
    out: Path,
    packages: Sequence[Package],
    digests: Mapping[str, str],
    previous: Path | None,
    design: bytes,
    pool: Executor,
) -> tuple[dict[str, list[str]], list[Future[None]]]:
    """Write the indexes of packages below `out`/cari, by `pool`; return the folders of each year, relative to it, and
    what is done once they are there.

    An index is that of the `previous` publication where all that it is made of is the same: the processes of its
    packages, of which `digests` has the digests by OCID, and what `design` is a digest of.
    """
    years: dict[int, list[Package]] = defaultdict(list)
    for each in packages:
        years[each.year].append(each)
    indexes: dict[str, list[str]] = {}
    begun = []
    for year, own in sorted(years.items()):
        own.sort(key=lambda each: each.ocid)
        size = math.ceil(len(own) / math.ceil(len(own) / _PART))
        for number, start in enumerate(range(0, len(own), size), 1):
            name = f"{year}-{number}"
            part = own[start : start + size]
            content = repr([(each.ocid, digests[each.ocid]) for each in part])
            digest = hashlib.blake2b(design + version("pagefind_bin").encode() + content.encode(), digest_size=16)
            old = previous / "cari" / name if previous else None
            if old and _digest_in(old) == digest.hexdigest():
                kept(old, out / "cari" / name)
            else:
                begun.append(pool.submit(_write_index, out / "cari" / name, part, digest.hexdigest(), old))
            indexes.setdefault(str(year), []).append(name)
    return indexes, begun


def _digest_in(folder: Path) -> str | None:
    path = folder / _DIGEST
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _write_index(folder: Path, packages: Iterable[Package], digest: str, old: Path | None) -> None:
    """Index packages by the names of their pages. Files that `old` has too, which are called by their content, stay."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        pages = Path(temporary)
        for each in packages:
            (pages / f"{file_name(each.ocid)}.html").write_text(_sought(each), encoding="utf-8")
        made = ["--site", temporary, "--output-path", str(folder), "--force-language", "id", "--silent"]
        subprocess.run([get_executable(), *made], check=True)
    for path in folder.iterdir():
        if path.is_file() and path.name not in _NEEDED and not path.name.endswith((".pagefind", ".pf_meta")):
            path.unlink()
        elif path.is_dir() and path.name not in ("fragment", "index"):
            shutil.rmtree(path)
    (folder / _DIGEST).write_text(digest, encoding="utf-8")
    if old:
        for path in files_of(folder):
            before = old / path.relative_to(folder)
            if before.is_file() and cmp(before, path, shallow=False):
                path.unlink()
                kept(before, path)


def _sought(package: Package) -> str:
    """A page for the index alone: the words that a package is found by, and what its line in the results shows."""
    names = [name for _, name, *_ in package.suppliers]
    places = [place.name for place in package.places]
    office = package.office[1] if package.office else ""
    money = amount_of(package)
    shown = {
        "office": office,
        "status": package.status,
        "words": plain(f"state.{package.status}"),
        "amount": rupiah_text(money[1]) if money else "",
        "kind": money[0] if money else "",
        "place": ", ".join(places),
    }
    # Two codes in one text would make a number as long as somebody's.
    together = [code for code in map(squeezed, package.codes) if not is_personal(code)]
    found = ". ".join([office, *places, *names, *package.codes, *together])
    meta = Markup("").join(
        Markup('<i data-pagefind-meta="{}[title]" title="{}"></i>').format(name, value)
        for name, value in shown.items()
        if value
    )
    return str(Markup('<html lang="id"><body><h1>{}</h1>{}<p>{}</p></body></html>').format(package.title, meta, found))


def squeezed(code: str) -> str:
    """A code without what people leave out or write otherwise: `900.3/ 001 /SPK/2025` is `9003001SPK2025`."""
    return _NOT_CODE.sub("", code)
