"""`jejak trace`: one package from proposal to progress, with the systems that tell each step."""

import re

from tests.worlds import Lived


def test_the_fullest_process_by_default(lived: Lived) -> None:
    result = lived.town.jejak("trace")
    assert result.status == 0, result.err
    steps = dict(re.findall(r"^  (\w+) +\(([^)]+)\)$", result.out, re.MULTILINE))
    assert steps["proposal"] == "musrenbang"
    assert {"simda", "sirup"} <= set(steps["budget"].split(", "))
    assert {"lpse"} <= set(steps["contract"].split(", "))
    assert steps["payments"] == "simda"
    assert "simpen" in steps["progress"].split(", ")
    assert re.search(r"^    \d{4}-\d\d-\d\d, Rp [\d,]+, simda-", result.out, re.MULTILINE)
    assert re.search(r"^    \d{4}-\d\d-\d\d, Realisasi fisik [\d.]+ % of [\d.]+ % planned", result.out, re.MULTILINE)
    ocid = result.out.split()[0]
    assert lived.town.jejak("trace", ocid).out == result.out


def test_a_process_without_all_steps_says_what_is_unknown(lived: Lived) -> None:
    record = lived.town.compiled("swk", next(row["code"] for row in lived.town.known("RUP-PaketSwakelola-Terumumkan")))
    result = lived.town.jejak("trace", record["ocid"])
    assert result.status == 0
    assert "proposal   nothing known" in result.out


def test_a_code_that_nobody_has(lived: Lived) -> None:
    result = lived.town.jejak("trace", "12345")
    assert result.status == 1
    assert "no process has the code 12345" in result.err
