"""When and in what order: thin files that hand the work to `pipeline`. The only folder that imports Airflow."""
