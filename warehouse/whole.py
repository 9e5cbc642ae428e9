"""What is written beside its place and takes that place whole: who reads sees the files of before or those of now."""

import ctypes
import errno
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_PART = ".jejak-part-"
_HERE, _EXCHANGE = -100, 2  # Linux: AT_FDCWD, RENAME_EXCHANGE


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """A new folder inside another, its owner's alone, which is gone after the block. What killed ones have left is
    removed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for parent in (folder, folder.parent):
        for left in parent.glob(f"{_PART}*"):
            # Who is still at work holds it.
            with suppress(OSError), _held(left, fcntl.LOCK_NB):
                shutil.rmtree(left, ignore_errors=True)
    with ExitStack() as stack:
        while True:
            part = Path(tempfile.mkdtemp(prefix=_PART, dir=folder))
            # Another may take it for what a killed one has left, and remove it, until it is held.
            with suppress(FileNotFoundError):
                stack.enter_context(_held(part))
                part.stat()
                break
        stack.callback(shutil.rmtree, part, ignore_errors=True)
        yield part


@contextmanager
def _held(folder: Path, how: int = 0) -> Iterator[None]:
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | how)
        yield
    finally:
        os.close(lock)


@contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """Where to write what is the file `path` after the block: its owner's alone, or who could read the earlier one can
    read it too. Where it raises, nothing changes."""
    if path.exists() and not path.is_file():  # such as /dev/stdout
        yield path
        return
    path = path.resolve()
    with staging(path.parent) as part:
        yield part / path.name
        _let_in(part / path.name, path)
        with (part / path.name).open("rb") as file:
            os.fsync(file.fileno())
        (part / path.name).replace(path)


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A new folder whose files are those of `folder` after the block: their owner's alone, or who could read an earlier
    one can read that in its place too. Where it raises, nothing changes.

    A folder that holds nothing else is replaced in one step. What else a folder holds stays; there, and on systems that
    can't let two folders change places, each file is moved by itself.
    """
    folder = folder.resolve()
    with staging(folder) as part:
        yield part
        for path in (part, *part.rglob("*")):
            _let_in(path, folder / path.relative_to(part))
        files = _files(part)
        # Who is at work in a folder that is replaced would be in one that is gone.
        others = list(folder.glob(f"{_PART}*")) != [part] or Path.cwd().is_relative_to(folder)
        alone = not others and {name for name in _files(folder) if name.parts[0] != part.name} <= files
        if not (alone and _exchanged(part, folder)):
            for name in sorted(files):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (part / name).replace(folder / name)


def _let_in(new: Path, old: Path) -> None:
    """Give a file or folder the group and mode of the one that it replaces; its owner's alone where there is none."""
    try:
        before = old.stat()
    except FileNotFoundError:
        new.chmod(0o700 if new.is_dir() else 0o600)
        return
    mode = stat.S_IMODE(before.st_mode)
    try:
        os.chown(new, -1, before.st_gid)
    except PermissionError:  # another group than the one that was let in
        mode &= ~stat.S_IRWXG
    new.chmod(mode)


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}


def _exchanged(part: Path, folder: Path) -> bool:
    """Whether the folder has changed places with its part, which is removed then."""
    outside = folder.parent / part.name
    try:
        part.rename(outside)
    except OSError:
        return False
    try:
        _exchange(outside, folder)
    except OSError:
        outside.rename(part)
        return False
    shutil.rmtree(outside, ignore_errors=True)
    return True


def _exchange(one: Path, other: Path) -> None:
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
