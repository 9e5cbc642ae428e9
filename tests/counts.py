"""The counts of real rows in docs/redflags.md and docs/quality.md: `python -m tests.counts` writes them anew.

It reads the folders of real rows as the commands do (a minute or two); `JEJAK_REAL_DATA` names their parent, by default
`../shared/data` beside the repository. Rows of the table of quality checks keep their words, a new one says `?`.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
DATA = Path(os.environ.get("JEJAK_REAL_DATA") or REPOSITORY.parent / "shared" / "data")
FOLDERS = {"prov-kalbar": "isb-prov-kalbar-2024", "kab-bandung": "isb-kab-bandung-2025"}
"""Settings -> folder of dumps, in the order of the pages' columns."""
FLAGS, QUALITY = REPOSITORY / "docs" / "redflags.md", REPOSITORY / "docs" / "quality.md"
_FLAG_ROW = re.compile(r"^\| R\d+ \|(?: [\d,]+ \|){4}\n", re.MULTILINE)
_RULE_ROW = re.compile(r"^\| `(\w+)` \| [\d,]+ \| [\d,]+ \| (.*) \|\n", re.MULTILINE)


@cache
def warehouse_of(name: str, place: Path) -> str:
    """The URL of the warehouse that the command makes of a folder of real rows."""
    # Of one list a folder holds another's rows: that service fails, and says so.
    _jejak(name, place, "sync", check=False)
    return f"sqlite:///{place / name}.db"


@cache
def counted(name: str, place: Path, command: str) -> list[dict[str, Any]]:
    """What `jejak flags` or `jejak quality` says of a folder of real rows."""
    warehouse_of(name, place)
    found: list[dict[str, Any]] = json.loads(_jejak(name, place, command, "--json", check=True)).popitem()[1]
    return found


def _jejak(name: str, place: Path, *words: str, check: bool) -> str:
    settings = {
        "JEJAK_SETTINGS": f"settings/{name}-dumps.toml",
        "JEJAK_DUMPS": str(DATA / FOLDERS[name]),
        "JEJAK_WAREHOUSE_URL": f"sqlite:///{place / name}.db",
    }
    command = [sys.executable, "-m", "commands.main", *words]
    return subprocess.run(
        command, cwd=REPOSITORY, env={**os.environ, **settings}, capture_output=True, text=True, check=check
    ).stdout


def pages(place: Path) -> dict[Path, str]:
    """Each page as it must be, of warehouses that stand (or are made) in a folder."""
    flags = [{each["code"]: each for each in counted(name, place, "flags")} for name in FOLDERS]
    rows = [
        f"| {code} | " + " | ".join(f"{of[code][what]:,}" for of in flags for what in ("computable", "flagged")) + " |"
        for code in flags[0]
    ]
    rules = [{each["code"]: each["findings"] for each in counted(name, place, "quality")} for name in FOLDERS]
    page = QUALITY.read_text(encoding="utf-8")
    why = dict(_RULE_ROW.findall(page))
    why |= {code: "?" for of in rules for code in of if code not in why}
    explained = [
        f"| `{code}` | " + " | ".join(f"{of.get(code, 0):,}" for of in rules) + f" | {words} |"
        for code, words in why.items()
        if any(code in of for of in rules)
    ]
    return {
        FLAGS: _replaced(FLAGS.read_text(encoding="utf-8"), _FLAG_ROW, rows),
        QUALITY: _replaced(page, _RULE_ROW, explained),
    }


def _replaced(page: str, row: re.Pattern[str], rows: list[str]) -> str:
    """The page with other rows in the place of its table's."""
    found = list(row.finditer(page))
    return page[: found[0].start()] + "\n".join(rows) + "\n" + page[found[-1].end() :]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="jejak-counts-") as folder:
        for path, content in pages(Path(folder)).items():
            path.write_text(content, encoding="utf-8")
            print(path)
