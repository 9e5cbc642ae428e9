"""Reads the outside: one module per source system, one transport per access method. Yields rows as received."""

from connectors.checking import Checked, check
from connectors.drafting import Guess, draft

__all__ = ["Checked", "Guess", "check", "draft"]
