"""The world as a folder of dumps, one file per service, named as ISB names the service."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import orjson

from simulator.rendering import Row
from simulator.services import SERVICES
from simulator.truth import truth
from simulator.world import World


def write_dumps(
    world: World, folder: Path, formats: Mapping[str, str] | None = None, year: int | None = None
) -> dict[str, int]:
    """Write every service's rows and `truth.json` into the folder; returns service -> number of rows.

    `formats` names the services that are not to be JSON: `csv` or `xlsx`. A CSV writes nothing for null, as exports do;
    a workbook keeps no more than 15 digits of a number. Files of an earlier day are replaced.
    Raises ValueError for another format, KeyError for an unknown service.
    """
    formats = formats or {}
    if unknown := formats.keys() - SERVICES.keys():
        raise KeyError(f"no such service: {', '.join(sorted(unknown))}")
    folder.mkdir(parents=True, exist_ok=True)
    counts = {}
    for name in SERVICES:
        rows = world.rows(name, year)
        counts[name] = len(rows)
        match formats.get(name, "json"):
            case "json":
                (folder / f"{name}.json").write_bytes(orjson.dumps(rows, option=orjson.OPT_APPEND_NEWLINE))
            case "csv":
                _write_csv(folder / f"{name}.csv", rows)
            case "xlsx":
                _write_xlsx(folder / f"{name}.xlsx", rows)
            case other:
                raise ValueError(f"{name} can't be written as {other!r}; choose json, csv or xlsx")
    (folder / "truth.json").write_bytes(orjson.dumps(truth(world), option=orjson.OPT_APPEND_NEWLINE))
    return counts


def _columns(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _write_csv(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _columns(rows))
        writer.writeheader()
        writer.writerows(rows)


def _write_xlsx(path: Path, rows: list[Row]) -> None:
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("data")
    columns = _columns(rows)
    sheet.append(columns)
    for row in rows:
        sheet.append([row.get(column) for column in columns])
    workbook.save(path)
