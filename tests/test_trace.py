"""`jejak trace`: one package from proposal to progress, with the systems that tell each step."""

import re

from tests.worlds import Lived


def test_the_fullest_process_by_default(lived: Lived) -> None:
    said = lived.town.jejak("trace")
    assert said.status == 0, said.err
    steps = dict(re.findall(r"^  (\w+) +\(([^)]+)\)$", said.out, re.MULTILINE))
    assert steps["proposal"] == "musrenbang"
    assert {"simda", "sirup"} <= set(steps["budget"].split(", "))
    assert {"lpse"} <= set(steps["contract"].split(", "))
    assert steps["payments"] == "simda"
    assert "simpen" in steps["progress"].split(", ")
    assert re.search(r"^    \d{4}-\d\d-\d\d, Rp [\d,]+, simda-", said.out, re.MULTILINE)
    assert re.search(r"^    \d{4}-\d\d-\d\d, Realisasi fisik [\d.]+ % of [\d.]+ % planned", said.out, re.MULTILINE)
    ocid = said.out.split()[0]
    assert lived.town.jejak("trace", ocid).out == said.out


def test_a_process_without_all_steps_says_what_is_unknown(lived: Lived) -> None:
    record = lived.town.compiled("swk", next(row["code"] for row in lived.town.known("RUP-PaketSwakelola-Terumumkan")))
    said = lived.town.jejak("trace", record["ocid"])
    assert said.status == 0
    assert "proposal   nothing known" in said.out


def test_a_code_that_nobody_has(lived: Lived) -> None:
    said = lived.town.jejak("trace", "12345")
    assert said.status == 1
    assert "no process has the code 12345" in said.err
