"""Reads the outside: one module per source system, one transport per access method. Yields rows as received."""

from connectors.checking import Checked, check

__all__ = ["Checked", "check"]
