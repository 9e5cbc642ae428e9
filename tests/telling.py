"""From made-up rows of one source to what they tell, without a warehouse: records, evidence, release bodies."""

import itertools
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from schemas.ocds import validate_release
from schemas.service import Service
from tests.official import REFERENCE, release_validator
from transforms.rows import identify
from transforms.said import Body, Context, Row, compact

ids = itertools.count(1)


def row(service: Service, fields: Mapping[str, Any]) -> Row:
    """A row as the pipeline reads it: key and code from the raw fields, the record from the model."""
    found = identify(service, fields)
    return Row(next(ids), service.name, found.key, found.code, service.model.model_validate(found.fields))


def context(**more: Any) -> Context:
    return Context("ocds-000000-rup-90000001", "+07:00", "D999", **more)


def told(transform: ModuleType, rows: Iterable[Row], known: Context) -> list[Body]:
    """The release bodies of rows of one service. Each must pass our models, and the official schema if it is here."""
    rows = list(rows)
    known.service = rows[0].service
    bodies = []
    for said in transform.TELLINGS[known.service].mapper(rows, known):
        body = _said(said.body)
        head = {"ocid": known.ocid, "id": "1", "date": "2025-01-01T00:00:00Z", "tag": ["planning"]}
        release = {**head, "initiationType": "tender", **body}
        validate_release(release)
        if REFERENCE.is_dir():
            assert [error.message for error in release_validator().iter_errors(release)] == []
        bodies.append(body)
    return bodies


def _said(value: Any) -> Any:
    """Without what was not said, inside lists too: releases are made of cells, to which nothing not said comes."""
    if isinstance(value, dict):
        return compact({name: _said(item) for name, item in value.items()})
    return [_said(item) for item in value] if isinstance(value, list) else value
