"""The table of field owners names services that exist, and every service whose rows are mapped."""

import csv
from pathlib import Path

import pytest

import transforms.codes
from pipeline.registry import MAPPINGS, SERVICES, SOURCES
from transforms import owners

with (Path(transforms.codes.__file__).parent / "field_owners.csv").open(encoding="utf-8", newline="") as _file:
    ROWS = {row["path"]: row["owners"].split() for row in csv.DictReader(_file)}
MAPPED = sorted({service for source in SOURCES.values() for service in source.mapping.mappers})


@pytest.mark.parametrize("path", ROWS)
def test_owners_are_services_that_are_mapped(path: str) -> None:
    named = [owner for owner in ROWS[path] if owner != "*"]
    assert set(named) <= set(MAPPED)
    assert len(named) == len(set(named))


def test_every_mapped_service_has_its_place() -> None:
    assert set(MAPPED) == set(ROWS["*"])
    assert set(MAPPED) <= SERVICES.keys()
    assert sorted(MAPPED, key=owners.order) == ROWS["*"]


@pytest.mark.parametrize("service", MAPPED)
def test_every_mapped_service_may_give_something(service: str) -> None:
    assert any(owners.rank(path, service) is not None for path in ROWS if path != "*")
    assert service in MAPPINGS[service].mappers


def test_whole_lists_have_owners_of_their_own_row_or_of_the_list_above() -> None:
    for path in owners.WHOLE:
        assert any(owners.rank(path, service) is not None for service in MAPPED)


def test_the_longest_path_decides() -> None:
    assert owners.rank("tender.milestones.dueDate", "SPSE-JadwalTahapanTender") == 0
    assert owners.rank("tender.milestones", "SPSE-TenderPengumuman") is None
    assert owners.rank("tender.title", "SPSE-TenderPengumuman") == 0
    assert owners.rank("unknown", "SPSE-TenderPengumuman") is None


def test_a_service_that_no_row_names_comes_last_and_gives_nothing() -> None:
    assert owners.order("Unknown-Service") > max(map(owners.order, MAPPED))
    assert owners.rank("tender.title", "Unknown-Service") is None
