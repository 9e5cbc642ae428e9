"""Starting Airflow: on this machine (`local/`, which `make` calls) and, as an example, in production."""
