"""What changed is linked again, and nothing else has to be: the links are those of linking the whole year anew."""

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, func, select

from pipeline import links as pipeline_links
from pipeline import workers
from pipeline.links import RowKey, decide, enqueue_links, link_pending, note_evidence, offices_by_name
from pipeline.registry import SERVICES, SOURCES
from schemas.errors import RowError
from schemas.settings import Settings, Thresholds
from simulator.dump import write_dumps
from simulator.world import World
from transforms.evidence import Evidence
from transforms.linking.year import from_text, keys_of, to_text
from transforms.rows import identify
from warehouse import tables as t
from warehouse.engine import open_warehouse, reading, writing
from warehouse.load import delete_by, insert_rows

YEAR = 2025
NOW = "2025-01-01T00:00:00Z"
EvidenceByRow = dict[RowKey, Evidence]


@cache
def town() -> EvidenceByRow:
    """What the rows of a small town of all systems say, by row keys."""
    evidence_by_row: EvidenceByRow = {}
    with TemporaryDirectory() as name:
        write_dumps(World(60, seed=5), Path(name))
        for path in sorted(Path(name).rglob("*.json")):
            service_name = next((each for each in SERVICES if path.name == f"{each}.json"), None)
            if service_name is None:
                continue
            source, service = SERVICES[service_name]
            transform = SOURCES[source].mapping
            for row in json.loads(path.read_text()) if service_name in transform.evident else ():
                try:
                    row = identify(service, row)
                    found = transform.evidence(service_name, service.model.model_validate(row.fields))
                except (RowError, ValidationError):
                    continue
                evidence_by_row |= {(source, service_name, str(YEAR), row.key): evidence for evidence in found}
    return evidence_by_row


class Warehouse:
    """A warehouse into which evidence is put."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = open_warehouse(url)
        self.settings = Settings(
            name="Uji",
            ocid_prefix="ocds-000000",
            kd_klpd="D999",
            kd_lpse="999",
            fiscal_years=[YEAR],
            warehouse_url=url,
        )
        with writing(self.engine) as conn:
            run = {
                "id": "r",
                "number": 1,
                "command": "build",
                "started_at": "2025-01-01T00:00:00Z",
                "status": "running",
            }
            insert_rows(conn, t.run, [run])

    def put(self, evidence_by_row: Iterable[tuple[RowKey, Evidence | None]]) -> None:
        with writing(self.engine) as conn:
            note_evidence(conn, evidence_by_row)

    def revise(self, newer: str, older: str | None) -> None:
        """Write down, or take back, that a RUP code revises another, as placing does."""
        columns = t.rup_revision.c
        with writing(self.engine) as conn:
            before = conn.execute(select(columns.older).where(columns.newer == newer)).scalar()
            delete_by(conn, t.rup_revision, columns.newer, [newer])
            if older:
                row = {"source": "sirup", "service": "RUP-HistoryKajiUlang", "scope": str(YEAR), "key": newer}
                hashes = {"code": newer, "content_hash": "", "wire_hash": "", "payload": {}}
                insert_rows(conn, t.raw_record, [{**row, **hashes, "observed_at": NOW, "run_id": "r"}])
                row_id = conn.execute(select(func.max(t.raw_record.c.id))).scalar_one()
                revision = {"row_id": row_id, "kind": "rup", "newer": newer, "older": older}
                insert_rows(conn, t.rup_revision, [revision])
            enqueue_links(conn, {(("rup", code), YEAR) for code in (newer, older, before) if code})

    def decide(self, name: str, status: str) -> None:
        with writing(self.engine) as conn:
            decide(conn, [name], status, "operator", None)

    def link(self, *, anew: bool = False) -> int:
        if anew:
            with writing(self.engine) as conn:
                conn.execute(t.link_year.update().values(fingerprint=""))
        return link_pending(self.engine, self.settings, "r")

    def rows(self, table: Any, *left_out: str) -> list[str]:
        """A table's rows as text, without some columns, sorted."""
        names = [column.name for column in table.columns if column.name not in ("run_id", "decided_at", *left_out)]
        with reading(self.engine) as conn:
            found = [[getattr(row, name) for name in names] for row in conn.execute(select(table))]
        # SQLite gives whole amounts as integers.
        return sorted(str([float(value) if type(value) is int else value for value in row]) for row in found)

    def contents(self) -> dict[str, Any]:
        with reading(self.engine) as conn:
            names = offices_by_name(conn)
        return {
            "links": self.rows(t.link),
            "subjects": self.rows(t.subject),
            "offices": names,
            "facts": self.rows(t.link_subject, "id"),
        }

    def link_ids(self) -> list[str]:
        with reading(self.engine) as conn:
            return list(conn.execute(select(t.link.c.id).order_by(t.link.c.id)).scalars())


def edited(evidence: Evidence, rng: random.Random, rups: list[str]) -> Evidence:
    """The same subject, of which something else is said."""
    changes: list[dict[str, Any]] = [{"status": rng.choice(("cancelled", "unsuccessful", "rejected", None))}]
    if evidence.titles:
        changes.append({"titles": (f"{evidence.titles[0]} {rng.choice(('Desa Maju', 'Tahap 2', 'RT 3 RW 1'))}",)})
    if evidence.amounts:
        changes.append({"amounts": (round(evidence.amounts[0] * rng.choice((0.5, 1.0001, 1.1)), 2),)})
    if evidence.villages:
        changes.append({"villages": (rng.choice((evidence.villages[0][:-1], "Mekar", "Suka Maju")),)})
    if evidence.rups:
        changes.append({"rups": (("rup", rng.choice(rups)),)})
    if evidence.numbers:
        changes.append({"numbers": (f"{evidence.numbers[0]}/X",)})
    if evidence.suppliers:
        changes.append({"suppliers": (f"{evidence.suppliers[0]} JAYA",)})
    if evidence.maks:
        changes.append({"maks": evidence.maks[1:]})
    if evidence.office:
        changes.append({"office": None})
    if evidence.office_name:
        changes.append({"office_name": f"{evidence.office_name} II"})
    return replace(evidence, **rng.choice(changes))


class Edits:
    """Random edits of a town's evidence, the same for each warehouse that they are made in."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.today: dict[RowKey, Evidence | None] = dict(town())
        self.row_keys = sorted(self.today)
        self.rups = sorted({e.subject[1] for e in town().values() if e.subject[0] == "rup"})
        self.counted = 0

    def rows(self) -> list[tuple[RowKey, Evidence | None]]:
        """A few rows that changed, went, came back or came."""
        found: dict[RowKey, Evidence | None] = {}
        for _ in range(self.rng.randint(0, 5)):
            row_key = self.rng.choice(self.row_keys)
            evidence, kind = self.today[row_key], self.rng.random()
            if evidence is None:
                found[row_key] = town().get(row_key)
            elif kind < 0.2:
                found[row_key] = None
            elif kind < 0.4:
                # Another subject of the kind; or the same one, listed in the next year too.
                self.counted += 1
                source, service, scope, key = row_key
                year, code = (YEAR, f"{evidence.subject[1]}9{self.counted}") if kind < 0.35 else (YEAR + 1, None)
                new = (source, service, scope if code else str(year), f"{key}+{self.counted}")
                subject = (evidence.subject[0], code or evidence.subject[1])
                found[new] = replace(evidence, subject=subject, year=year if evidence.year else None)
                self.row_keys.append(new)
            else:
                found[row_key] = edited(evidence, self.rng, self.rups)
            self.today.update(found)
        return list(found.items())

    def round(self, warehouses: list[Warehouse]) -> None:
        evidence_by_row = self.rows()
        revision = self.rng.sample(self.rups, 2) if self.rng.random() < 0.3 else None
        taken_back = self.rng.random() < 0.3
        names = warehouses[0].link_ids()
        decisions = {
            self.rng.choice(names): self.rng.choice(("confirmed", "rejected", "pending"))
            for _ in range(self.rng.choice((0, 0, 1, 2)))
        }
        strict = self.rng.random() < 0.2
        for warehouse in warehouses:
            warehouse.put(evidence_by_row)
            if revision:
                warehouse.revise(revision[0], None if taken_back else revision[1])
            for name, status in decisions.items():
                warehouse.decide(name, status)
            thresholds = Thresholds(accept=0.99, pending=0.5)
            rules = {"contract-payment": thresholds, "proposal-package": thresholds} if strict else {}
            warehouse.settings = warehouse.settings.model_copy(update={"links": rules})


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_changed_is_linked_as_if_all_were_linked_anew(
    seed: int, warehouse_url: str, new_url: Callable[[], str]
) -> None:
    edits = Edits(seed)
    one, other = Warehouse(warehouse_url), Warehouse(new_url())
    for warehouse in (one, other):
        warehouse.put(edits.today.items())
        warehouse.link()
    assert one.contents() == other.contents()
    for _ in range(8):
        edits.round([one, other])
        one.link()
        other.link(anew=True)
        assert one.contents() == other.contents()
    one.engine.dispose()
    other.engine.dispose()


def two_years() -> tuple[EvidenceByRow, EvidenceByRow]:
    """A town's evidence of this year; and of the year before, whose proposals bear codes that others have today."""
    before: EvidenceByRow = {}
    for (source, service, _, key), evidence in town().items():
        kind, code = evidence.subject
        other = {"usulan": "pokir", "pokir": "usulan", "kontrak": "kontrak"}.get(kind)
        if evidence.year is None:
            continue
        subject = (other, code) if other else (kind, f"{code}8")
        rups = tuple((of, f"{rup}8") for of, rup in evidence.rups)
        before[source, service, str(YEAR - 1), key] = replace(evidence, subject=subject, year=YEAR - 1, rups=rups)
    return town(), before


def test_the_order_of_years_is_no_matter(new_url: Callable[[], str]) -> None:
    now, before = two_years()
    contents = []
    for parts in ([now, before], [before, now], [now | before]):
        warehouse = Warehouse(new_url())
        for evidence_by_row in parts:
            warehouse.put(evidence_by_row.items())
            warehouse.link()
        contents.append(warehouse.contents())
        warehouse.engine.dispose()
    assert [row for row in contents[0]["links"] if "'pending'" in row]
    assert contents[1] == contents[0]
    assert contents[2] == contents[0]


def test_years_come_to_the_same_in_workers_and_after_a_kill(
    new_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between two years, and before the queue is emptied: nothing is lost, and nothing comes twice."""
    warehouses = [Warehouse(new_url()) for _ in range(4)]
    for warehouse in warehouses:
        for evidence_by_row in two_years():
            warehouse.put(evidence_by_row.items())
    whole, apart, between, after = warehouses
    whole.link()
    with monkeypatch.context() as patched:
        for module in (pipeline_links, workers):
            patched.setattr(module, "_WORTH_WORKERS", 0)
        apart.link()
    for warehouse, step, times in ((between, "_link_year", 1), (after, "_settle", 0)):
        with monkeypatch.context() as patched:
            patched.setattr(pipeline_links, step, killed_after(getattr(pipeline_links, step), times))
            with pytest.raises(KeyboardInterrupt):
                warehouse.link()
        assert warehouse.rows(t.link_year)
        warehouse.link()
    for warehouse in warehouses[1:]:
        assert warehouse.contents() == whole.contents()
    for warehouse in warehouses:
        assert not warehouse.rows(t.pending_link)
        warehouse.engine.dispose()


def killed_after(function: Callable[..., Any], times: int) -> Callable[..., Any]:
    """A function that works so many times."""
    left = iter(range(times))

    def working(*arguments: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return function(*arguments)

    return working


@pytest.fixture
def linked(file_url: str) -> Iterable[Warehouse]:
    warehouse = Warehouse(file_url)
    warehouse.put(town().items())
    warehouse.link()
    yield warehouse
    warehouse.engine.dispose()


def test_nothing_asked_nothing_done(linked: Warehouse) -> None:
    before = linked.rows(t.link_year)
    assert linked.link() == 0
    assert linked.rows(t.link_year) == before


def test_a_decision_is_taken_back(linked: Warehouse) -> None:
    before = linked.contents()
    with reading(linked.engine) as conn:
        names = {
            row.rule: row.id
            for row in conn.execute(select(t.link).where(t.link.c.status == "auto"))
            if row.by != "code"
        }
    assert {"contract-payment", "proposal-package", "budget-package"} <= names.keys()
    for status in ("rejected", "confirmed"):
        for name in names.values():
            linked.decide(name, status)
        linked.link()
        assert linked.contents()["links"] != before["links"]
        for name in names.values():
            linked.decide(name, "pending")
        linked.link()
        assert linked.contents() == before


def test_what_comes_while_linking_is_kept_for_the_next_time(
    linked: Warehouse, file_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence and a decision that are written after linking has read its snapshot and before it writes."""
    contract = next(place for place, e in sorted(town().items()) if e.subject[0] == "kontrak" and len(e.amounts) == 1)
    first, second = (replace(town()[contract], amounts=(amount,)) for amount in (1.0, 2.0))
    with reading(linked.engine) as conn:
        proposed = conn.execute(
            select(t.link.c.id).where(t.link.c.rule == "proposal-package", t.link.c.status == "auto").limit(1)
        ).scalar_one()
    meanwhile = open_warehouse(file_url)
    linked_year = pipeline_links._linked

    def slow(*arguments: Any) -> Any:
        found = linked_year(*arguments)
        with writing(meanwhile) as conn:
            note_evidence(conn, [(contract, second)])
            decide(conn, [proposed], "rejected", "operator", None)
        return found

    linked.put([(contract, first)])
    with monkeypatch.context() as patched:
        patched.setattr(pipeline_links, "_linked", slow)
        linked.link()
    meanwhile.dispose()
    with reading(linked.engine) as conn:
        waiting = {(row.kind, row.code) for row in conn.execute(select(t.pending_link))}
        status = conn.execute(select(t.link.c.status).where(t.link.c.id == proposed)).scalar_one()
    assert town()[contract].subject in waiting
    assert status == "rejected"
    linked.link()
    with reading(linked.engine) as conn:
        assert not conn.execute(select(t.pending_link)).all()
    after = linked.contents()
    linked.link(anew=True)
    assert linked.contents() == after


def test_offices_are_known_by_their_names(linked: Warehouse) -> None:
    with reading(linked.engine) as conn:
        names = offices_by_name(conn)
        standing = conn.execute(select(t.link).where(t.link.c.rule == "office", t.link.c.status == "auto")).all()
    assert {source for source, _ in names} == {row.from_kind for row in standing}
    assert set(names.values()) <= {row.to_code for row in standing}


def test_facts_are_kept_as_they_are(linked: Warehouse) -> None:
    with reading(linked.engine) as conn:
        rows = conn.execute(select(t.link_subject)).all()
        held = conn.execute(select(t.link_key.c.key, t.link_key.c.subject)).all()
    keys: dict[int, set[str]] = {}
    for key, subject in held:
        keys.setdefault(subject, set()).add(key)
    for row in rows:
        facts = from_text(row.facts, row.mentions)
        assert to_text(facts) == row.facts
        assert keys_of(facts) == keys.get(row.id, set())
