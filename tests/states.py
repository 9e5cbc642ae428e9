"""From made-up rows to the state of their process, without a warehouse."""

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.registry import MAPPINGS, SERVICES
from schemas.ocds import validate_compiled_release, validate_release
from schemas.service import read_row
from tests.official import REFERENCE, release_validator
from transforms.mapping import Row
from transforms.merge import compiled
from transforms.releases import next_release
from transforms.rows import identify
from transforms.state import Process, State, state_of

OCID = "ocds-000000-rup-90000001"
DATE = "2025-10-03T16:59:59+07:00"


def row(service: str, fields: Mapping[str, Any], *, scope: str = "2025", seen: str = "", number: int = 1) -> Row:
    """A row as the pipeline reads it: key and code from the raw fields, the record from the model. `number` tells apart
    rows of one key."""
    found = identify(SERVICES[service][1], fields)
    record, _ = read_row(SERVICES[service][1], found.fields)
    key = f"{found.key}#{number}" if number > 1 else found.key
    return Row(service, scope, key, found.code, record, seen)


def rows(service: str, *all_fields: Mapping[str, Any], **more: Any) -> list[Row]:
    """Rows of one service; those of one key are numbered."""
    found: list[Row] = []
    for fields in all_fields:
        first = row(service, fields, **more)
        same = sum(other.key.partition("#")[0] == first.key for other in found)
        found.append(row(service, fields, number=same + 1, **more))
    return found


def state(rows: Iterable[Row], wilayah: str | None = None, **process: Any) -> State:
    """The state of a process of these rows; the document must be a valid first release and a valid record."""
    found = state_of(Process(OCID, list(rows), **process), MAPPINGS, "+07:00", "D999", wilayah)
    if found.document:
        valid(first_release(found.document))
    return found


def document(rows: Iterable[Row], **process: Any) -> dict[str, Any]:
    """The document of a process of these rows, in which no code value is unknown."""
    found = state(rows, **process)
    assert found.signals == set()
    return found.document


def first_release(document: dict[str, Any]) -> dict[str, Any]:
    """The release that begins a record with a document."""
    release = next_release(OCID, None, document, DATE)
    assert release is not None
    return release


def valid(release: dict[str, Any]) -> None:
    """Check a release, and the record that it begins, by our models and by the official schema if that is here."""
    validate_release(release)
    validate_compiled_release(compiled([release]))
    if REFERENCE.is_dir():
        assert [error.message for error in release_validator().iter_errors(release)] == []
