"""The examples in the docstrings of the transforms are true."""

import doctest
import importlib
import pkgutil

import pytest

import transforms

MODULES = [module.name for module in pkgutil.walk_packages(transforms.__path__, "transforms.")]
# Whose docstrings explain by example.
WITH_EXAMPLES = {
    "transforms.difference",
    "transforms.identity",
    "transforms.linking.numbers",
    "transforms.linking.rules",
    "transforms.linking.scoring",
    "transforms.mak",
    "transforms.mapping",
    "transforms.merge",
    "transforms.owners",
    "transforms.parties",
    "transforms.paths",
    "transforms.places",
    "transforms.releases",
    "transforms.rows",
    "transforms.state",
}


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0
    assert outcome.attempted > 0 or name not in WITH_EXAMPLES
