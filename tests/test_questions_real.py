"""The ten questions on real rows, each beside an answer worked out from the raw files by other means.

The files are not part of this repository; `JEJAK_REAL_DATA` names their folder, by default `../shared/data` beside it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests import questions_by_hand as hand
from warehouse.engine import open_warehouse, reading
from warehouse.questions import QUESTIONS

REPOSITORY = Path(__file__).parents[1]
DATA = Path(os.environ.get("JEJAK_REAL_DATA") or REPOSITORY.parent / "shared" / "data")
FOLDERS = {"kab-bandung": "isb-kab-bandung-2025", "prov-kalbar": "isb-prov-kalbar-2024"}
pytestmark = pytest.mark.skipif(
    not all((DATA / name).is_dir() for name in FOLDERS.values()),
    reason="no folders of real rows; name their parent in JEJAK_REAL_DATA",
)


@pytest.fixture(scope="module", params=FOLDERS)
def synced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Engine]]:
    """A folder of real rows and the warehouse that the command made of it."""
    folder = DATA / FOLDERS[request.param]
    url = f"sqlite:///{tmp_path_factory.mktemp(request.param)}/jejak.db"
    settings = {"JEJAK_SETTINGS": f"settings/{request.param}-dumps.toml", "JEJAK_DUMPS": str(folder)}
    # Of one list a folder holds another's rows: that service fails, and says so.
    subprocess.run(
        [sys.executable, "-m", "commands.main", "sync"],
        cwd=REPOSITORY, env={**os.environ, **settings, "JEJAK_WAREHOUSE_URL": url}, capture_output=True, check=False,
    )  # fmt: skip
    engine = open_warehouse(url)
    yield folder, engine
    engine.dispose()


def asked(engine: Engine, query: str) -> list[Any]:
    with reading(engine) as conn:
        return list(conn.execute(text(query)))


def close(amount: float) -> Any:
    """To the rupiah."""
    return pytest.approx(amount, abs=0.5, rel=0)


def test_suppliers(synced: tuple[Path, Engine]) -> None:
    folder, engine = synced
    [(total,)] = asked(engine, "SELECT sum(contracted_amount) FROM supplier_share")
    assert total == close(hand.contracted(folder))
    first = asked(engine, QUESTIONS["01_top_suppliers"])
    assert [row.contracted_amount for row in first] == [close(amount) for amount in hand.largest_suppliers(folder)]
    assert sum(row.percent for row in first) == pytest.approx(
        100 * sum(hand.largest_suppliers(folder)) / total, abs=0.2
    )


def test_lead_times(synced: tuple[Path, Engine]) -> None:
    folder, engine = synced
    found = {
        (row.channel, row.method_details): (row.contracts, row.median_days, row.p90_days, row.negative)
        for row in asked(engine, QUESTIONS["03_lead_times"])
    }
    assert found == hand.lead_times(folder) != {}


def test_savings(synced: tuple[Path, Engine]) -> None:
    folder, engine = synced
    found = {
        (row.channel, row.method_details): (row.attempts, close(row.hps), close(row.awarded_amount))
        for row in asked(engine, QUESTIONS["04_savings"])
    }
    assert hand.savings(folder) == found != {}


def test_what_was_realised(synced: tuple[Path, Engine]) -> None:
    folder, engine = synced
    rows = asked(engine, QUESTIONS["05_realised_per_office"])

    def total(name: str) -> float:
        return sum(getattr(row, name) or 0 for row in rows)

    stand, cancelled = hand.recorded(folder)
    assert total("contracted") == close(hand.contracted(folder))
    assert total("certified") == close(hand.certified(folder))
    assert total("recorded") == close(stand)
    assert total("disbursed") == 0
    [sums] = asked(engine, "SELECT sum(recorded_cancelled_amount), sum(recorded_amount) FROM contracting_process")
    assert tuple(sums) == (close(cancelled), close(stand))


def test_local_content(synced: tuple[Path, Engine]) -> None:
    folder, engine = synced
    [row] = asked(engine, QUESTIONS["06_local_content"])
    value, local, micro = hand.local_content(folder)
    assert (row.contract_value, row.local_content_value, row.micro_enterprise_value) == (
        close(value), close(local), close(micro),
    )  # fmt: skip


def test_late_plans(synced: tuple[Path, Engine]) -> None:
    folder, engine = synced
    rows = asked(engine, QUESTIONS["07_late_plans"])
    plans, pagu = hand.late_plans(folder)
    assert (sum(row.plans for row in rows), sum(row.pagu for row in rows)) == (plans, close(pagu))


def test_swakelola_share(synced: tuple[Path, Engine]) -> None:
    folder, engine = synced
    [row] = asked(engine, QUESTIONS["08_swakelola_share"])
    own, all_plans = hand.swakelola_share(folder)
    assert (row.swakelola_amount, row.announced_amount) == (close(own), close(all_plans))
    # Nothing that is summed the obvious way counts a plan twice.
    [(pagu,)] = asked(engine, "SELECT sum(pagu) FROM plan")
    assert pagu == close(all_plans)


def test_retenders(synced: tuple[Path, Engine]) -> None:
    folder, engine = synced
    found = {
        row.channel: (row.packages, row.attempts, row.repeated) for row in asked(engine, QUESTIONS["09_retenders"])
    }
    assert found == hand.retenders(folder)


def test_bidders(synced: tuple[Path, Engine]) -> None:
    folder, engine = synced
    rows = asked(engine, QUESTIONS["10_single_bidders"])
    names = ("tenders", "registrants", "with_bids", "bidders", "single")
    assert tuple(sum(getattr(row, name) or 0 for row in rows) for name in names) == hand.bidders(folder)
