"""The mappings give what the golden files hold."""

import json

import pytest

from tests.golden import CASES, golden, outcome
from tests.states import valid


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    found = outcome(case)
    assert found == json.loads(golden(case).read_text(encoding="utf-8")), "wanted? then: python -m tests.golden"
    for release in (found["first"], found["second"]):
        valid(release)
