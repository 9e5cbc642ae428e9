"""Airflow's pools, made where they are missing: `python -m dags.pools`, after `airflow db migrate`.

A task whose pool is missing never starts. What an operator has changed under Admin, Pools, stays.
"""

import sys

from sqlalchemy import make_url

from pipeline.registry import SOURCES
from schemas.errors import SettingsError
from schemas.settings import Settings


def pools_of(settings: Settings) -> dict[str, tuple[int, str]]:
    """Slots and description of each pool."""
    postgresql = make_url(settings.warehouse_url).get_backend_name() == "postgresql"
    return {
        **{f"source_{source}": (2, f"Services of {source} that are read at a time") for source in SOURCES},
        "warehouse": (settings.shards if postgresql else 1, "Tasks that write much; on SQLite one at a time"),
    }


def main() -> int:
    """Make the pools that are missing; returns the exit status."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    from dags.connections import settings

    try:
        known = settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    with create_session() as session:
        for name, (slots, description) in pools_of(known).items():
            if Pool.get_pool(name, session=session) is None:
                Pool.create_or_update_pool(name, slots, description, include_deferred=False, session=session)
                print(f"Pool {name}: {slots} slots")
    return 0


if __name__ == "__main__":
    sys.exit(main())
