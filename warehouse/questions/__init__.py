"""Ten questions that an analyst asks first, each one query over the star tables and marts (docs/analysts.md)."""

from pathlib import Path

QUESTIONS: dict[str, str] = {
    path.stem: path.read_text(encoding="utf-8").strip().removesuffix(";")
    for path in sorted(Path(__file__).parent.glob("*.sql"))
}
"""The queries by name, with the head that names population, date, amount, denominator and what is left out. Both
databases understand them."""
