"""The quality of links, through the command that measures it, on seeds that nobody tuned anything on."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from reports.evaluate import hidden, measured
from tests.worlds import Lived, jejak
from transforms.linking import RULES
from warehouse import tables as t
from warehouse.engine import reading


def evaluated(seed: int, noise: float, packages: int = 2500) -> dict[str, dict[str, Any]]:
    result = jejak("links", "evaluate", "--seed", seed, "--noise", noise, "--packages", packages, "--json")
    assert result.status == 0, result.err
    rules = json.loads(result.out)["rules"]
    assert [rule["rule"] for rule in rules] == list(RULES)
    return {rule["rule"]: rule for rule in rules}


def test_usual_noise() -> None:
    for name, rule in evaluated(seed=4001, noise=1).items():
        assert rule["true"] > 100, name
        assert rule["precision"] >= 0.99, rule
        assert rule["recall"] >= 0.95, rule
        assert rule["recall_with_pending"] >= 0.99, rule


def test_double_noise() -> None:
    for rule in evaluated(seed=4002, noise=2).values():
        assert rule["precision"] >= 0.98, rule


def test_a_regency_without_noise_and_the_table(tmp_path: Path) -> None:
    result = jejak("links", "evaluate", "--seed", 5, "--noise", 0, "--packages", 150)
    assert result.status == 0, result.err
    lines = result.out.splitlines()
    assert lines[0].split() == ["rule", "truth", "true", "found", "precision", "recall", "pending", "with", "pending"]
    assert [line.split()[0] for line in lines[1:]] == list(RULES)
    contracts = next(line.split() for line in lines if line.startswith("contract-payment"))
    assert contracts[4:6] == ["1.000", "1.000"]


def test_figures() -> None:
    pairs = [((("a", str(n)), ("b", str(n)))) for n in range(4)]
    found = measured("office", "many-to-one", set(pairs[:3]), {pairs[0], pairs[3]}, {pairs[1]})
    assert (found["true"], found["found"], found["pending"]) == (3, 2, 1)
    assert (found["precision"], found["recall"], found["recall_with_pending"]) == (0.5, 0.3333, 0.6667)
    nothing = measured("office", "many-to-one", set(), set(), set())
    assert (nothing["precision"], nothing["recall"]) == (None, None)


def test_hidden_keys_of_the_warehouse_itself(lived: Lived) -> None:
    with reading(lived.town.engine) as conn:
        figures = {each["rule"]: each for each in hidden(conn)}
    contracts = lived.town.query(
        select(t.evidence.c.key).where(t.evidence.c.service.like("%Ekontrak-2Kontrak")).distinct()
    )
    assert 0 < figures["contract-payment"]["true"] <= len(contracts)
    assert figures["contract-payment"]["precision"] == pytest.approx(1)
    assert figures["rup-package"]["true"] > 0
    result = lived.town.jejak("links", "evaluate", "--hidden", "--json")
    assert {each["rule"] for each in json.loads(result.out)["rules"]} == {"contract-payment", "rup-package"}
