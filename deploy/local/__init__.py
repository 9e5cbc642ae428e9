"""Airflow on this machine: `make run`, `make airflow` and `make cluster` start it from here."""
