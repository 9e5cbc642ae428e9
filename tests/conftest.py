"""Fixtures for all tests; they live in modules of their own."""

import os

from hypothesis import settings

# What a developer has set for daily work must not steer the tests.
_FOR_TESTS = ("JEJAK_TEST_", "JEJAK_OCDS_REFERENCE", "JEJAK_REAL_DATA", "JEJAK_DUMPS", "JEJAK_EXAMPLES")
for _name in [name for name in os.environ if name.startswith("JEJAK_") and not name.startswith(_FOR_TESTS)]:
    del os.environ[_name]

# A loaded machine is no reason for a test to fail.
settings.register_profile("jejak", deadline=None)
settings.load_profile("jejak")

pytest_plugins = ["tests.databases", "tests.worlds"]
