"""The crosswalk as a file: which OCID each code has, for a new warehouse to go on with."""

import csv
from collections.abc import Mapping
from typing import IO

from sqlalchemy import Connection, select

from schemas.errors import SettingsError
from transforms.identity import Code
from warehouse import tables as t
from warehouse.load import insert_rows

COLUMNS = ("kind", "key", "ocid")


def to_csv(conn: Connection, file: IO[str]) -> int:
    """Write the OCID of every code as CSV with the columns `COLUMNS`; return how many codes there are."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    codes = _known(conn)
    writer.writerows((*code, ocid) for code, ocid in sorted(codes.items()))
    return len(codes)


def from_csv(file: IO[str]) -> dict[Code, str]:
    """The OCIDs of a CSV file with the columns `COLUMNS`, by code.

    Raises SettingsError where a column or a value is missing.
    """
    reader = csv.DictReader(file)
    if not set(COLUMNS) <= set(reader.fieldnames or ()):
        raise SettingsError(f"{file.name} is no crosswalk: its first line must be {','.join(COLUMNS)}")
    given = {}
    for row in reader:
        kind, key, ocid = (row[name] for name in COLUMNS)
        if not (kind and key and ocid):
            raise SettingsError(f"{file.name}: line {reader.line_num} lacks kind, key or ocid; nothing was imported")
        given[kind, key] = ocid
    return given


def take_over(conn: Connection, given: Mapping[Code, str], run_id: str) -> int:
    """Give codes the OCIDs that they had elsewhere; return how many are new.

    Raises SettingsError where a code has another OCID here; then nothing is written.
    """
    known = _known(conn)
    others = [code for code, ocid in given.items() if known.get(code, ocid) != ocid]
    if others:
        raise SettingsError(
            f"{len(others)} codes already have another OCID, the first being {' '.join(others[0])}: an OCID is "
            "never rewritten. Nothing was imported; import into a warehouse that has not minted them yet"
        )
    new = sorted(given.items() - known.items())
    rows = ({"kind": kind, "key": key, "ocid": ocid, "run_id": run_id} for (kind, key), ocid in new)
    return insert_rows(conn, t.identity, rows)


def _known(conn: Connection) -> dict[Code, str]:
    return {(row.kind, row.key): row.ocid for row in conn.execute(select(t.identity))}
