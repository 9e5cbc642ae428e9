"""Files of a publication: gzipped so that equal content gives equal bytes, cut where they grow too large, listed with
their digests."""

import gzip
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import IO, Any, Self

import orjson

LIMIT = 1_000_000_000
"""Bytes of a file before it is compressed, beyond which the next one begins."""

MANIFEST = "manifest.json"
_FILES, _FILE = ' "files": [', '  {"path":'


def opened(path: Path) -> IO[bytes]:
    """A file to be written: gzipped, without name and time, where its name ends in `.gz`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("wb")
    if path.suffix != ".gz":
        return file
    return io.BufferedWriter(_Gzip(file), 1 << 20)


class _Gzip(gzip.GzipFile):
    """GzipFile leaves a file open that it was given."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0)
        self._file = file

    def close(self) -> None:
        super().close()
        self._file.close()


class CutFile:
    """Entries written one after another into `name`, and into `name-2`, `name-3`, ... beyond `LIMIT` bytes each.

    Each file begins with what `head` makes of its name, ends with `tail`, and has `between` its entries. The first one
    is there though nothing is written. `paths` are the files so far.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        suffix: str,
        head: Callable[[str], bytes] = lambda name: b"",
        between: bytes = b"",
        tail: bytes = b"",
    ) -> None:
        self._place, self._head, self._between, self._tail = (folder, name, suffix), head, between, tail
        self._size, self._entries = 0, 0
        self.paths: list[Path] = []
        self._begin()

    def write(self, entry: bytes) -> None:
        """One more entry, whole in one file."""
        if self._entries and self._size + len(entry) > LIMIT:
            self._end()
            self._begin()
        if self._entries:
            self._file.write(self._between)
        self._file.write(entry)
        self._entries += 1
        self._size += len(self._between) + len(entry)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _begin(self) -> None:
        folder, name, suffix = self._place
        whole = f"{name}-{len(self.paths) + 1}{suffix}" if self.paths else f"{name}{suffix}"
        self.paths.append(folder / whole)
        self._file = opened(folder / whole)
        head = self._head(whole)
        self._file.write(head)
        self._size, self._entries = len(head) + len(self._tail), 0

    def _end(self) -> None:
        self._file.write(self._tail)
        self._file.close()


def kept(previous: Path, new: Path) -> None:
    """A file or folder of the last publication in the new one: the same bytes and times, on disk once if it can be."""
    if previous.is_dir():
        new.mkdir(parents=True, exist_ok=True)
        for each in sorted(previous.iterdir()):
            kept(each, new / each.name)
        return
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(previous, new)
    except OSError:  # a file system without hard links
        new.write_bytes(previous.read_bytes())
        stat = previous.stat()
        os.utime(new, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def files_of(folder: Path) -> Iterator[Path]:
    """All files below a folder, in order of their paths."""
    return (folder / name for name in names_of(folder))


def names_of(folder: Path | str, below: str = "") -> Iterator[str]:
    """As `files_of`, as texts from the folder on: of some 100,000 files a Path each costs more than all else."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir():
            yield from names_of(entry.path, f"{below}{entry.name}/")
        else:
            yield below + entry.name


def is_same(new: str, previous: str) -> bool:
    """Whether the file at a path was taken over from the last publication."""
    try:
        return os.path.samestat(os.stat(new), os.stat(previous))
    except OSError:
        return False


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, head: dict[str, Any], previous: Path | None) -> int:
    """Write `manifest.json`: `head` and every other file with its size and SHA-256; returns how many there are."""
    known = dict(_listed(previous)) if previous else {}
    count = 0
    with (folder / MANIFEST).open("w", encoding="utf-8") as manifest:
        manifest.write(json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}"))
        manifest.write(f",\n{_FILES}")
        for name in names_of(folder):
            if name == MANIFEST:
                continue
            path = f"{folder}/{name}"
            same = name in known and is_same(path, f"{previous}/{name}")
            entry = {
                "path": name,
                "bytes": os.stat(path).st_size,
                "sha256": known[name] if same else digest_of(folder / name),
            }
            manifest.write((",\n" if count else "\n") + f"  {orjson.dumps(entry).decode()}")
            count += 1
        manifest.write("\n ]\n}\n")
    return count


def _listed(folder: Path) -> Iterator[tuple[str, str]]:
    """Path and SHA-256 of each file of a publication: the manifest has a line for each, and may have very many."""
    with (folder / MANIFEST).open(encoding="utf-8") as manifest:
        for line in manifest:
            if line.startswith(_FILE):
                entry = orjson.loads(line.rstrip(",\n"))
                yield entry["path"], entry["sha256"]


def about(folder: Path) -> dict[str, Any]:
    """What the manifest of a publication holds beside its files. Raises as `manifest_of` does."""
    with (folder / MANIFEST).open(encoding="utf-8") as manifest:
        lines = takewhile(lambda line: not line.startswith(_FILES), manifest)
        head: dict[str, Any] = json.loads("".join(lines).rstrip(",\n") + "\n}")
    return head


def manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest of a publication. Raises OSError or ValueError where there is none or it is broken."""
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return manifest


def wrong_files(folder: Path) -> list[str]:
    """The files of a publication that are not as its manifest says: missing, changed, or not listed."""
    listed = {file["path"]: file["sha256"] for file in manifest_of(folder)["files"]}
    found = set(names_of(folder)) - {MANIFEST}
    changed = {name for name in found & listed.keys() if digest_of(folder / name) != listed[name]}
    return sorted(changed | (found ^ listed.keys()))
