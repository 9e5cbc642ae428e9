"""A last look at every byte of a publication: is anything of anybody in it that should never leave the raw rows?

Two ways to find it. By value: what stands in the personal fields of any row that was ever read
(`schemas.service.Personal`). By shape (`transforms.shapes`): a NIP, NIK or NPWP, phone numbers, e-mails. Text
is looked at as a reader sees it, without escapes of JSON, HTML and addresses, with tags and without them; gzipped files
and workbooks unpacked; of photos what they say beside the picture. A QR code may say its own page's address alone.

A person's name is published as the supplier of a package, and a firm's tax number as its identifier: these are no
findings, and neither is what the setting `not_personal` lists.
"""

import html
import io
import os
import re
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import Connection, select

from pipeline.progress import with_progress
from pipeline.registry import SERVICES
from pipeline.steps import warehouse
from pipeline.workers import spread
from reports.publication.files import is_same, names_of
from reports.publication.marks import Met
from reports.publication.metadata import site
from reports.publication.qr import strange_codes
from schemas.service import personal_fields
from schemas.settings import Settings
from transforms import shapes
from transforms.parties import is_firm, is_organisation, plain_name
from warehouse import tables as t
from warehouse.engine import from_json, reading

_BATCH = 50  # files
_LARGE = 1_000_000  # bytes: a file that is scanned alone
_BLOCK = 1 << 18
_OVERLAP = 1000  # bytes: longer than any value that is looked for
# Not of persons: where a village wants something done is no home, and titles of plans name it too; the name of a bank.
_OF_NOBODY = frozenset({"alamat_teks", "nama_rek_bank"})
_FEWEST = 9  # digits of a number that is looked for, more than a date has
_PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".gif"}
_DRAWN = {".html", ".svg"}
_JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[nrtbf])")
_TAG = re.compile(r"<[^<>]*>")
_CELL = re.compile(rb' r="[A-Z]{0,3}\d{1,7}"')
_NUMBER = re.compile(rf"(?<!\w)(?<!\d[.-]){shapes.NUMBER}(?!\w)")
# 6286484130 and 6286484130.25 are amounts: without a sign the country's code stands before as many digits as mobile
# phones have.
_PHONE = re.compile(rf"(?:(?=\()|(?<![\w./-])(?!62(?!\d{{10}})\d)){shapes.MOBILE}(?!\w|\.\d)")
_PART_OF_WORD = re.compile(rb"[\w.+/()-]*")
_EMAIL = re.compile(shapes.MAILBOX + r"(?=[A-Za-z]{2})[\w.]+")
_RUN = re.compile(r"\d(?:[ .()-]{0,2}\d){8,}")
# As `plain_name`, for a text of any length: capitals and digits stay, all else is blank.
_PLAIN = bytes(byte if chr(byte).isascii() and chr(byte).isalnum() else 32 for byte in range(256))
_NO_DIGITS = str.maketrans("", "", " .()-")
_LONG = re.compile(rf"\d{{{_FEWEST},}}")
_SHORTEST = 15  # digits that _NUMBER takes
_LETTERS = re.compile(r"[A-Z]{3}")
_LEADING_NUMBER = re.compile(r"[\d\s./-]*")


@dataclass(frozen=True, slots=True)
class Finding:
    """Where something personal may stand, and of what kind it is; never the value itself."""

    path: str
    kind: str


@dataclass(slots=True)
class Personal:
    """The values of personal fields, each with the field that holds it: `numbers` by their digits, `texts` in plain
    words. `rare` has the texts by the word that the fewest of them share. `open` are tax numbers of firms."""

    numbers: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    rare: dict[bytes, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    open: set[str] = field(default_factory=set)
    not_personal: frozenset[str] = frozenset()

    @classmethod
    def of(cls, conn: Connection, settings: Settings) -> Self:
        """Those of all rows of the warehouse, rejected ones and earlier versions too."""
        found = cls(not_personal=frozenset(f(text) for text in settings.not_personal for f in (plain_name, _digits)))
        named: set[str] = set()
        seen: set[int] = set()
        for service, row in _rows_of(conn):
            fields = _personal_fields(service)
            named_fields = {name: value for name, value in row.items() if name in fields or _may_be_personal(name)}
            # Most rows repeat the same offices, officials and suppliers.
            same = hash((service, repr(named_fields)))
            if same not in seen or any(map(_is_address, fields & named_fields.keys())):
                seen.add(same)
                found._take(row, fields, named_fields, named)
        for text in found.texts.keys() & (named | found.not_personal):
            del found.texts[text]
        shared = Counter(word for text in found.texts for word in set(text.split()))
        for text in found.texts:
            found.rare[min(text.split(), key=lambda word: (shared[word], word)).encode()].append(text.encode())
        for number in found.open | found.not_personal:
            found.numbers.pop(number, None)
        return found

    @property
    def values(self) -> set[str]:
        """All that is looked for, and the numbers that are no findings."""
        return {*self.numbers, *self.texts, *self.open}

    def _take(
        self, row: Mapping[str, Any], fields: frozenset[str], named_fields: Mapping[str, Any], named: set[str]
    ) -> None:
        """Add the values of a row's personal fields; `named` gets the names and addresses that it publishes.
        `named_fields` are those that may be personal, a name, an address or a legal form."""
        public = {name: value for name, value in named_fields.items() if name not in fields and isinstance(value, str)}
        named |= {plain_name(value) for name, value in public.items() if _is_name(name) or _is_address(name)}
        firm = any((_is_name(name) or _is_form(name)) and is_firm(value, value) for name, value in public.items())
        where = any(map(_is_address, fields & named_fields.keys()))
        words = (value for name, value in row.items() if name not in fields and isinstance(value, str)) if where else ()
        public_text = plain_name(" ".join(words))
        for name in fields & named_fields.keys():
            for value in row[name] if isinstance(row[name], list) else [row[name]]:
                for part in str(value or "").split(";"):
                    self._add(name, part.strip(), public_text, firm=firm)

    def _add(self, name: str, part: str, public_text: str, *, firm: bool) -> None:
        if _is_address(name):
            # A place that the public texts of the row give too is where the work is.
            text = plain_name(part)
            if len(text) > 14 and any(map(str.isdigit, text)) and text not in public_text:
                self.texts[text] = name
            return
        leading = _LEADING_NUMBER.match(part)
        number = _digits(leading[0] if leading else "")
        if len(number) >= _FEWEST and len(set(number)) > 1:
            forms = {number, number[1:]} if len(number) == 16 and number[0] == "0" else {number}
            if firm and "npwp" in name.lower():
                self.open |= forms
            self.numbers |= dict.fromkeys(forms, name)
        text = plain_name(part[leading.end() if leading else 0 :])
        if len(text) > 5 and _LETTERS.search(text) and not is_organisation(text):
            self.texts[text] = name


def personal_now(settings: Settings) -> Personal:
    """As `Personal.of`, by a connection of its own, so that a worker may do it."""
    with reading(warehouse(settings)) as conn:
        return Personal.of(conn, settings)


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


@cache
def _personal_fields(service: str) -> frozenset[str]:
    return personal_fields(SERVICES[service][1]) - _OF_NOBODY


def _is_name(field: str) -> bool:
    return field.lower().startswith(("nama_", "nm_"))


def _is_address(field: str) -> bool:
    return field.lower().startswith("alamat")


def _is_form(field: str) -> bool:
    return field.lower().startswith("bentuk")


@lru_cache(10_000)  # a source may name fields as it likes
def _may_be_personal(field: str) -> bool:
    return _is_name(field) or _is_address(field) or _is_form(field)


def _rows_of(conn: Connection) -> Iterator[tuple[str, dict[str, Any]]]:
    raw, rejected = t.raw_record.c, t.reject.c
    for row in conn.execution_options(yield_per=1000).execute(select(raw.service, raw.payload).where(~raw.gone)):
        if row.service in SERVICES and isinstance(row.payload, dict):
            yield row.service, row.payload
    for row in conn.execution_options(yield_per=1000).execute(select(rejected.service, rejected.payload)):
        try:
            payload = from_json(row.payload)
        except ValueError:
            continue
        if row.service in SERVICES and isinstance(payload, dict):
            yield row.service, payload


def scan(
    folder: Path,
    personal: Personal,
    settings: Settings,
    last: Path | None = None,
    met: Callable[[NDArray[np.uint32]], None] = lambda _: None,
) -> Iterator[Finding]:
    """What may be personal in the files of a publication. `last` is one in which the same values were looked for: files
    that were taken over from it are left out, and of others of its names only lines are read that it hasn't. `met` gets
    the marks of what is read (see reports.publication.marks)."""
    names = [name for name in names_of(folder) if last is None or not is_same(f"{folder}/{name}", f"{last}/{name}")]
    jobs = _lots(folder, names)
    given = (folder, last, personal, site(settings))
    scanned = spread(settings, len(names), _scan_files, jobs, _begin, *given, ahead=len(jobs))
    for found, values in with_progress(scanned, len(jobs), "lots of files scanned"):
        met(values)
        yield from found


def _lots(folder: Path, names: list[str]) -> list[list[str]]:
    """So many files together; then large ones alone, the largest first, so that all workers are busy to the end."""
    sizes = {name: os.stat(f"{folder}/{name}").st_size for name in names}
    large = sorted((name for name in names if sizes[name] > _LARGE), key=lambda name: (-sizes[name], name))
    others = [name for name in names if sizes[name] <= _LARGE]
    return [*(others[start : start + _BATCH] for start in range(0, len(others), _BATCH)), *([name] for name in large)]


_given: tuple[Path, Path | None, Personal, str] = (Path(), None, Personal(), "")


def _begin(*given: Any) -> None:
    global _given
    _given = given


def _scan_files(names: Iterable[str]) -> tuple[list[Finding], NDArray[np.uint32]]:
    folder, last, personal, address = _given
    found: list[Finding] = []
    met = Met()
    for name in names:
        kinds = set(_scan_file(folder / name, name, last / name if last else None, personal, address, met))
        found += [Finding(where, kind) for where, kind in sorted(kinds)]
    return found, met.values()


def _scan_file(
    path: Path, name: str, last: Path | None, personal: Personal, address: str, met: Met
) -> Iterator[tuple[str, str]]:
    if path.suffix.lower() in _DRAWN and any(
        strange_codes(path.read_text(encoding="utf-8", errors="replace"), f"{address}/{quote(name)}")
    ):
        yield name, "a QR code of something else than its page"
    if path.suffix.lower() in _PICTURES:
        yield from ((name, kind) for kind in _of_picture(path, personal, met))
        return
    with path.open("rb") as file:
        blocks = _new_lines(file, name, last) if last and last.is_file() else _overlapping(file, name)
        for where, block in blocks:
            for kind in _kinds_seen(block.decode("utf-8", "replace"), personal, met):
                yield where, kind


def _overlapping(file: IO[bytes], name: str) -> Iterator[tuple[str, bytes]]:
    """All that a file holds, in blocks."""
    for where, chunks in _parts(file, name):
        tail = b""
        for chunk in chunks:
            yield where, tail + chunk
            tail = _end_of(chunk)


def _new_lines(file: IO[bytes], name: str, last: Path) -> Iterator[tuple[str, bytes]]:
    """Each line of a file after the one before it, but for those that follow one another in the last version too; what
    is new in a row comes together."""
    with last.open("rb") as old:
        seen = {key for key, *_ in _pairs(old, name)}
    block, there = bytearray(), name
    for key, where, before, line in _pairs(file, name):
        if block and (key in seen or where != there or len(block) > _BLOCK):
            yield there, bytes(block)
            block.clear()
        if key not in seen:
            block += line if block else before + line
            there = where
    if block:
        yield there, bytes(block)


def _pairs(file: IO[bytes], name: str) -> Iterator[tuple[int, str, bytes, bytes]]:
    """Each line that a file holds, unpacked, behind the end of the one before it; first a hash of both. Rows of a sheet
    are lines, and where they stand in it is no difference."""
    for where, chunks in _parts(file, name):
        before, previous, rest = b"", b"", b""
        for chunk in chain(chunks, [b""]):
            *lines, rest = (rest + chunk).replace(b"</row>", b"</row>\n").split(b"\n")
            lines = [line + b"\n" for line in lines]
            if not chunk or len(rest) > _BLOCK:
                lines, rest = [*lines, rest], b""
            for line in lines:
                words = _CELL.sub(b"", line)
                yield hash((previous, words)), where, before, line
                before, previous = _end_of(line), _end_of(words)


def _end_of(block: bytes) -> bytes:
    """What the next block is read after; the rest of a word that is cut off looks like something else."""
    return block if len(block) <= _OVERLAP else _PART_OF_WORD.sub(b"", block[-_OVERLAP:], count=1)


def _parts(file: IO[bytes], name: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    """What a file holds, each part in chunks, unpacked however often it is packed."""
    magic = file.read(4)
    file.seek(0)
    if magic == b"PK\x03\x04":
        with zipfile.ZipFile(file) as archive:
            for member in archive.namelist():
                with archive.open(member) as inner:
                    yield from _parts(inner, f"{name}/{member}")
        return
    chunks = _gunzipped(file) if magic[:2] == b"\x1f\x8b" else iter(lambda: file.read(_BLOCK), b"")
    first = next(chunks, b"")
    if first[:4] == b"PK\x03\x04" or (magic[:2] == b"\x1f\x8b" and first[:2] == b"\x1f\x8b"):
        yield from _parts(io.BytesIO(b"".join(chain([first], chunks))), name)
        return
    yield name, chain([first], chunks)


def _gunzipped(file: IO[bytes]) -> Iterator[bytes]:
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    while packed := file.read(_BLOCK // 8):
        yield unpacking.decompress(packed)
        while unpacking.eof and unpacking.unused_data:  # a further member
            rest = unpacking.unused_data
            unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
            yield unpacking.decompress(rest)


def _of_picture(path: Path, personal: Personal, met: Met) -> Iterator[str]:
    with Image.open(path) as picture:
        if picture.getexif():
            yield "EXIF"
        yield from _kinds_seen(repr(picture.info), personal, met)


def _kinds_seen(text: str, personal: Personal, met: Met) -> set[str]:
    """The kinds of personal values that a text holds, as it is or as a reader sees it."""
    seen = unquote(html.unescape(_JSON_ESCAPE.sub(_unescaped, text)))
    found = _kinds_in(seen, personal, met)
    if "<" in seen:
        found |= _kinds_in(_TAG.sub(" ", seen), personal, met)
    return found


def _unescaped(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else " "


def _kinds_in(text: str, personal: Personal, met: Met) -> set[str]:
    found: set[str] = set()
    read: set[str] = set()
    for run in _RUN.finditer(text):
        digits = run[0].translate(_NO_DIGITS)
        numbers = {digits, *_LONG.findall(run[0])}
        read |= numbers
        for number in numbers & personal.numbers.keys():
            found.add(f"number of {personal.numbers[number]}")
        around = text[max(0, run.start() - 3) : run.end() + 1]
        for number in _NUMBER.findall(around) if len(digits) >= _SHORTEST else ():
            if (own := _digits(number)) not in personal.open and own not in personal.not_personal:
                found.add("a number as long as NIP, NIK or NPWP")
        phones = _PHONE.findall(around) if "08" in digits or "628" in digits else ()
        if any(_digits(phone) not in personal.not_personal for phone in phones):
            found.add("phone")
    if "@" in text and any(plain_name(mail) not in personal.not_personal for mail in _EMAIL.findall(text)):
        found.add("e-mail")
    words = text.encode("ascii", "replace").upper().translate(_PLAIN).split()
    plain = b" %b " % b" ".join(words)
    met.add(plain, read)
    there = set(words)
    for word in personal.rare.keys() & there:
        for value in personal.rare[word]:
            if there.issuperset(value.split()) and b" %b " % value in plain:
                found.add(f"text of {personal.texts[value.decode()]}")
    return found
