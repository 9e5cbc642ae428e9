"""The mappings give what the golden files say."""

import json

import pytest

from schemas.ocds import validate_compiled_release, validate_release
from tests.golden import CASES, golden, outcome


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    found = outcome(case)
    assert found == json.loads(golden(case).read_text(encoding="utf-8")), "wanted? then: python -m tests.golden"
    for release in found["releases"]:
        validate_release(release)
    validate_compiled_release(found["compiled"])
