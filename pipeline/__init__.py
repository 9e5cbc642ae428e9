"""Composes connectors, transforms and warehouse into steps; the CLI and the DAGs call the same steps."""
