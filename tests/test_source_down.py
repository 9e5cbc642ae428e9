"""LPSE is down, in each way in which a source is: its run goes red and says what to do, and nobody else notices."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.registry import SOURCES
from simulator.server import running
from simulator.world import World
from tests.answering import Answer, answering
from tests.nights import ROOT, SYNCS, spend
from tests.worlds import plain
from transforms.difference import living
from warehouse import tables as t
from warehouse.engine import open_warehouse, reading

# The services that the nights read; all others are switched off.
LPSE = {"SPSE-TenderPengumuman", "SPSE-PesertaTender", "SPSE-TenderSelesaiNilai"}
READ = LPSE | {
    "RUP-PaketPenyedia-Terumumkan",
    "RUP-PaketAnggaranPenyedia",
    "SIMDA-Anggaran",
    "Musrenbang-Usulan",
    "SIMPEN-Pekerjaan",
    "Dokumen-Perencanaan",
}
# What is wrong, and what the operator is told of it.
WAYS = {
    "refused": "it refused the connection: nothing listens there; check host and port in the source's url",
    "503": "it answered 503; try again later",
    "hanging": "it did not answer within 1 s; try again later, or raise timeout_seconds",
}
CLEAR = "Then clear the failed sync tasks, with what follows them, to read just those again."


@contextmanager
def down(way: str) -> Iterator[str]:
    """The address of an LPSE that is down."""
    if way == "503":
        with answering(Answer("Layanan dalam pemeliharaan", 503)) as server:
            yield server.url
        return
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if way == "hanging":
            listener.listen(64)  # the system takes the connections, and nobody ever reads from them
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A night for each way, each with a warehouse of its own; then the first one's next, and one undisturbed."""
    folder = tmp_path_factory.mktemp("town")
    simda = f"sqlite:///{folder}/simda.db"
    with (
        running(World(30, seed=7), simda_url=simda) as simulator,
        down("refused") as refused,
        down("503") as unavailable,
        down("hanging") as hanging,
    ):
        settings = {
            "JEJAK_SETTINGS": str(ROOT / "settings" / "simulator.toml"),
            "JEJAK_NOW": f"{simulator.world.today}T12:00:00Z",
            "JEJAK_SOURCES__SIMDA__DATABASE": simda,
            "JEJAK_SOURCES__LPSE__RETRIES": "0",
            "JEJAK_SOURCES__LPSE__TIMEOUT_SECONDS": "1",
        }
        for name, source in SOURCES.items():
            off = {service: {"enabled": False} for service in source.services if service not in READ}
            settings[f"JEJAK_SOURCES__{name.upper()}__SERVICES"] = json.dumps(off)
            settings[f"JEJAK_SOURCES__{name.upper()}__URL"] = (
                f"{simulator.url}/isb-2" if name in ("sirup", "lpse") else f"{simulator.url}/{name}/api"
            )
        up = settings["JEJAK_SOURCES__LPSE__URL"]
        addresses = {"refused": refused, "503": unavailable, "hanging": hanging, "undisturbed": up}
        urls = {name: f"sqlite:///{folder}/{name}.db" for name in addresses}
        nights = [
            {"environment": {"JEJAK_SOURCES__LPSE__URL": address, "JEJAK_WAREHOUSE_URL": urls[name]}}
            for name, address in addresses.items()
        ]
        back = {"JEJAK_SOURCES__LPSE__URL": up, "JEJAK_WAREHOUSE_URL": urls["refused"]}
        spent, logs = spend(folder, settings, [*nights, {"environment": back, "dags": ["sync_lpse"]}])
    return {"nights": dict(zip([*addresses, "back"], spent, strict=True)), "logs": logs, "urls": urls}


@pytest.mark.parametrize("way", WAYS)
def test_its_run_is_red_and_says_what_to_do(town, way):
    run = town["nights"][way]["sync_lpse"]
    assert run["run"] == "failed"
    assert sorted(run["failed"]) == ["report", *(f"sync {service} 2025: failed" for service in sorted(LPSE))]
    sentence = f"3 of 3 services of lpse failed: {WAYS[way]}."
    with reading(open_warehouse(town["urls"][way])) as conn:
        (message,) = conn.execute(select(t.run.c.message).where(t.run.c.status == "failed")).scalars()
    assert message == sentence
    assert re.search(rf"{re.escape(sentence)}\s+{re.escape(CLEAR)}", town["logs"])


@pytest.mark.parametrize("way", WAYS)
def test_the_others_are_green_and_records_are_built_of_them(town, way):
    night = town["nights"][way]
    assert {dag: done["run"] for dag, done in night.items() if dag != "sync_lpse"} == dict.fromkeys(
        [*(dag for dag in SYNCS if dag != "sync_lpse"), "build_records"], "success"
    )
    new = night["build_records"]["xcoms"]["report.changed"]["new"]
    with reading(open_warehouse(town["urls"][way])) as conn:
        records = {row.ocid: row.compiled for row in conn.execute(select(t.record))}
        linked = set(conn.execute(select(t.link.c.rule).where(t.link.c.status == "auto")).scalars())
    assert new
    assert all(records[ocid]["planning"]["budget"] for ocid in new)
    assert "budget-package" in linked


def test_when_it_is_back_nothing_is_missing(town):
    """What was read late gives the states that it gives when it is read at once."""
    assert town["nights"]["back"]["sync_lpse"]["run"] == "success"
    assert town["nights"]["back"]["build_records"]["run"] == "success"
    found = []
    for name in ("refused", "undisturbed"):
        with reading(open_warehouse(town["urls"][name])) as conn:
            records = {
                row.ocid: plain(living(row.compiled, row.withdrawn or ())) for row in conn.execute(select(t.record))
            }
            links = conn.execute(select(t.link.c.rule, t.link.c.status, func.count()).group_by("rule", "status"))
            found.append((records, sorted(map(tuple, links))))
    assert found[0] == found[1]
