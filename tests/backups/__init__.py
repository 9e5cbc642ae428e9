"""Backups of released versions, which later ones restore: `python -m tests.backups` makes that of this version.

Before the first release the one migration still changes; where it has, make the file anew.
"""

import tempfile
from pathlib import Path

from pipeline.registry import SOURCES
from tests.worlds import EditedWorld, served

FOLDER = Path(__file__).parent


def make() -> None:
    """Write the backup of a regency that does not exist, by this version."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with served(EditedWorld(10, seed=3), folder, f"sqlite:///{folder}/jejak.db", simda=True) as town:
            settings = town.settings(systems=SOURCES)
            town.sync(settings=settings)
            town.next_day(0.2)
            town.sync(settings=settings)
            assert town.jejak("backup", FOLDER / "0.1.0.zip", settings=settings).status == 0
    (FOLDER / "0.1.0.zip").chmod(0o644)  # nothing of it is anybody's
