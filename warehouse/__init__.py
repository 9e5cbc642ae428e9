"""Writes the warehouse: tables, migrations, bulk load, star tables, export."""
