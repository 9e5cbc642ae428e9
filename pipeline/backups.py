"""Backups of the warehouse, made and restored: what `jejak backup` and `jejak restore` do."""

from pathlib import Path

from pipeline import build
from pipeline.clock import utc_now
from pipeline.progress import logged_progress
from schemas.errors import SettingsError, StructureError
from schemas.settings import Settings
from warehouse.backup import backup, head_of, restore
from warehouse.engine import open_warehouse, reading, writing

_SAME = ("kd_klpd", "ocid_prefix", "utc_offset")


def make_backup(settings: Settings, place: Path, keep: int | None = None) -> tuple[Path, int, list[Path]]:
    """Write a backup into a file, or into a folder under a name of regency and time. Returns the file, the number of
    its rows and the older backups that were deleted: of a folder all of this regency but the `keep` newest.

    Writers are not kept waiting: a backup is one state of the warehouse, the one that it has now. Raises SettingsError
    where there is no warehouse, `keep` is given with a file, or the file holds something else.
    """
    moment = utc_now()
    folder = place.is_dir() or not place.suffix
    if keep is not None and not folder:
        raise SettingsError(f"--keep is about the backups of a folder, and {place} is a file: give the folder")
    path = place / f"jejak-{settings.kd_klpd}-{moment.replace(':', '')}.zip" if folder else place
    if path.is_file():
        try:
            head_of(path)
        except StructureError:
            raise SettingsError(f"{path} is no backup of Jejak's, so nothing replaces it: give another file") from None
    about = {"made_at": moment, "name": settings.name, **{name: getattr(settings, name) for name in _SAME}}
    engine = open_warehouse(settings.warehouse_url)
    with reading(engine) as conn:
        rows = backup(conn, path, about, logged_progress("rows backed up"))
    engine.dispose()
    older = sorted(place.glob(f"jejak-{settings.kd_klpd}-*.zip"))[: -keep or None] if keep else []
    for each in older:
        each.unlink()
    return path, rows, older


def restore_backup(settings: Settings, path: Path, *, force: bool = False) -> int:
    """Make the warehouse of the settings the one of a backup, and return the number of rows (see `warehouse.backup`).

    Raises SettingsError for a backup of another regency, or a warehouse that has rows and is not to be replaced.
    """
    head = head_of(path)
    other = [f"{name} {head.get(name)}" for name in _SAME if head.get(name) != getattr(settings, name)]
    if other and not force:
        raise SettingsError(
            f"{path} is a backup with {', '.join(other)}, and the settings have another: give the settings of that "
            "regency, or `--force` if you changed them on purpose"
        )
    engine = open_warehouse(settings.warehouse_url)
    with build.alone(engine), writing(engine) as conn:
        rows = restore(conn, path, utc_now(), force=force, seen=logged_progress("rows restored"))
    engine.dispose()
    return rows
