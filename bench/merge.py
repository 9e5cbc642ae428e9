"""Merging and checking releases, beside the reference tools on the same input: `python -m bench.merge [RELEASES]`.

The releases are synthetic: five per process (planning, tender, award, contract, implementation), some 4 KB each.
"""

import argparse
import gc
import itertools
import math
import operator
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
from ocdsmerge import Merger

from schemas.ocds import validate_release
from transforms.merge import MERGE_RULES, compiled

_STAGES = ("planning", "tender", "award", "contract", "implementation")


def _party(number: int, *roles: str) -> dict[str, Any]:
    name = f"CV SINTETIS MAJU JAYA {number}"
    return {
        "id": f"JEJAK-PENYEDIA-{number}",
        "name": name,
        "identifier": {"scheme": "JEJAK-PENYEDIA", "id": str(number), "legalName": name},
        "roles": list(roles),
    }


def _reference(number: int) -> dict[str, str]:
    return {"id": f"JEJAK-PENYEDIA-{number}", "name": f"CV SINTETIS MAJU JAYA {number}"}


def process(number: int) -> list[dict[str, Any]]:
    """The five releases of one synthetic process."""
    money = {"amount": 100_000_000 + number, "currency": "IDR"}
    period = {"startDate": "2025-02-01T00:00:00+07:00", "endDate": "2025-11-30T23:59:59+07:00"}
    bidders = [number * 20 + i for i in range(2, 10)]
    steps = [
        {
            "id": str(i),
            "title": f"Tahap {i}: evaluasi dan klarifikasi dokumen penawaran",
            "dueDate": f"2025-03-{i + 1:02}T16:00:00+07:00",
            "status": "scheduled",
        }
        for i in range(14)
    ]
    budget = [
        {
            "id": f"1.03.02.2.01.{i:04}.5.1.02.02.01.0047",
            "description": "APBD: belanja jasa pemeliharaan jalan dan jembatan kabupaten",
            "amount": money,
            "period": period,
            "sourceParty": _reference(1),
        }
        for i in range(8)
    ]
    item = {
        "id": "1",
        "description": "Rehabilitasi ruas jalan kabupaten, perkerasan beton dan saluran tepi. " * 3,
        "deliveryLocation": {"description": "Kecamatan Contoh", "gazetteer": {"scheme": "BPS", "identifiers": ["35"]}},
    }
    award = {"id": f"A{number}", "status": "active", "date": "2025-03-20T10:00:00+07:00", "value": money}
    contract = {"id": f"K{number}", "awardID": award["id"]}
    payments = [
        {"id": f"P{i}", "date": f"2025-{i + 1:02}-28T10:00:00+07:00", "value": money, "payee": _reference(bidders[0])}
        for i in range(10)
    ]
    progress = [
        {
            "id": f"{i:02}",
            "period": {"endDate": f"2025-{i + 1:02}-28T23:59:59+07:00"},
            "measure": i * 10,
            "unit": {"scheme": "UNCEFACT", "id": "P1", "name": "percent"},
        }
        for i in range(10)
    ]
    head = {"title": f"Rehabilitasi jalan {number}", "procuringEntity": _reference(1), "value": money}
    bodies: dict[str, dict[str, Any]] = {
        "planning": {
            "planning": {"budget": {"amount": money, "budgetBreakdown": budget}},
            "tender": {"id": str(number), **head, "status": "planned", "items": [item], "contractPeriod": period},
        },
        "tender": {
            "tender": {
                "id": str(number),
                **head,
                "status": "active",
                "procurementMethod": "open",
                "procurementMethodDetails": "Tender - Pascakualifikasi Satu File",
                "tenderPeriod": period,
                "milestones": steps,
                "tenderers": [_reference(n) for n in bidders],
            },
        },
        "award": {
            "tender": {"id": str(number), "status": "complete", "numberOfTenderers": 8},
            "bids": {"details": [{"id": str(n), "tenderers": [_reference(n)], "value": money} for n in bidders]},
            "awards": [{**award, "suppliers": [_reference(bidders[0])], "items": [item]}],
        },
        "contract": {
            "awards": [{**award, "suppliers": [_reference(bidders[0])]}],
            "contracts": [
                {**contract, "status": "active", "value": money, "period": period, "items": [item], "milestones": steps}
            ],
        },
        "implementation": {
            "contracts": [
                {
                    **contract,
                    "implementation": {
                        "transactions": payments,
                        "metrics": [{"id": "physical", "title": "Kemajuan fisik", "observations": progress}],
                    },
                }
            ],
        },
    }
    parties = [_party(1, "buyer", "procuringEntity", "payer"), *(_party(n, "tenderer") for n in bidders)]
    ocid = f"ocds-213czf-rup-{number}"
    return [
        {
            "ocid": ocid,
            "id": f"{ocid}-{stage}",
            "date": f"2025-0{month}-01T00:00:00+07:00",
            "tag": [stage],
            "initiationType": "tender",
            "language": "id",
            "parties": parties,
            "buyer": _reference(1),
            **bodies[stage],
        }
        for month, stage in enumerate(_STAGES, start=1)
    ]


def offline_schema() -> dict[str, Any]:
    """The least JSON Schema that holds our merge rules, so that ocdskit needs no network."""
    schema: dict[str, Any] = {}
    for path, rule in MERGE_RULES.items():
        node = schema
        for field in path:
            node["type"] = "object"
            node = node.setdefault("properties", {}).setdefault(field, {})
        node |= {"type": "array", rule: True}
    return schema


def _seconds(job: Callable[[Any], object], inputs: Sequence[Any]) -> float:
    started = time.perf_counter()
    for each in inputs:
        job(each)
    return time.perf_counter() - started


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table: what each tool does in a second on the same input, and whether the results are equal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("releases", type=int, nargs="?", default=20_000)
    parser.add_argument("--rounds", type=int, default=3, help="of which the best is printed")
    options = parser.parse_args(arguments)

    processes = [process(number) for number in range(1, options.releases // 5 + 1)]
    releases = list(itertools.chain.from_iterable(processes))
    # The collector would else walk all of this input again and again, in both tools.
    gc.freeze()
    reference = Merger(merge_rules=MERGE_RULES)
    with tempfile.TemporaryDirectory() as folder:
        source, schema, theirs, ours = (Path(folder, name) for name in ("in", "schema", "theirs", "ours"))
        source.write_bytes(b"".join(orjson.dumps(release) + b"\n" for release in releases))
        schema.write_bytes(orjson.dumps(offline_schema()))

        def compile_file(file: Path) -> None:
            with file.open("rb") as lines, ours.open("wb") as out:
                for _, group in itertools.groupby(map(orjson.loads, lines), key=operator.itemgetter("ocid")):
                    out.write(orjson.dumps(compiled(list(group))) + b"\n")

        def ocdskit_compile(file: Path) -> None:
            command = [sys.executable, "-m", "ocdskit", "compile", "--schema", str(schema)]
            with file.open("rb") as lines, theirs.open("wb") as out:
                subprocess.run(command, stdin=lines, stdout=out, check=True)

        jobs: dict[str, tuple[Callable[[Any], object], Sequence[Any]]] = {
            "compiled, in memory": (compiled, processes),
            "ocdsmerge, in memory": (reference.create_compiled_release, processes),
            "compiled, JSON Lines file to file": (compile_file, [source]),
            "ocdskit compile, the same file": (ocdskit_compile, [source]),
            "validate_release": (validate_release, releases),
        }
        best = dict.fromkeys(jobs, math.inf)
        # In turns, so that what else the machine does meets all of them alike.
        for name in [*jobs] * options.rounds:
            best[name] = min(best[name], _seconds(*jobs[name]))
        print(f"{len(releases):,} releases of {source.stat().st_size / len(releases):,.0f} bytes, 5 per process")
        for name, seconds in best.items():
            print(f"{name:<48}{len(releases) / seconds:>10,.0f} /s")
        ours_memory, theirs_memory, ours_file, theirs_file, _ = best.values()
        print(f"{theirs_memory / ours_memory:.1f} times ocdsmerge, {theirs_file / ours_file:.1f} times ocdskit compile")
        print(f"compiled releases equal: {'yes' if _records(ours) == _records(theirs) else 'NO'}")


def _records(file: Path) -> dict[str, Any]:
    return {record["ocid"]: record for record in map(orjson.loads, file.read_bytes().splitlines())}


if __name__ == "__main__":
    main()
