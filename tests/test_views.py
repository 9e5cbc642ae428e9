"""The views: how their files are read, and when the database's are made again."""

import multiprocessing

import pytest
from sqlalchemy import Engine, MetaData, create_engine, inspect, select, text

from schemas.errors import SettingsError
from tests.databases import on_postgresql
from warehouse.engine import migrate, open_warehouse, reading, writing
from warehouse.tables import definition, metadata
from warehouse.views import creation_order, parse_view, view_metadata

FILE = """-- What each office has paid,
-- as far as it is known.
--
-- office_id: the office
--     (office.id)
-- paid_amount (money): sum of the payments

-- A comment of the query's own.
SELECT office_id, sum(disbursed_amount) AS paid_amount FROM contracting_process GROUP BY office_id;
"""
OLD = [
    "DROP VIEW subject_without_link",
    "CREATE VIEW subject_without_link AS SELECT 1 AS old",
    "CREATE VIEW former AS SELECT 1 AS old",
]


def test_a_file_gives_query_columns_and_comments() -> None:
    found = MetaData()
    query = parse_view("office_payment", FILE, found)
    assert query.startswith("-- A comment of the query's own.\nSELECT office_id")
    assert query.endswith("GROUP BY office_id")
    view = found.tables["office_payment"]
    assert view.comment == "What each office has paid, as far as it is known."
    assert {column.name: (str(column.type), column.comment) for column in view.columns} == {
        "office_id": ("TEXT", "the office (office.id)"),
        "paid_amount": ("DOUBLE", "sum of the payments (IDR)"),
    }


@pytest.mark.parametrize(
    "content",
    ["SELECT 1;", FILE.replace("(money)", "(rupiah)"), FILE.replace("--\n", ""), FILE.replace("office_id:", "")],
)
def test_a_head_that_cannot_be_read_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match="view office_payment: "):
        parse_view("office_payment", content, MetaData())


def test_a_view_comes_after_those_that_it_reads() -> None:
    queries = {"a": "SELECT * FROM b JOIN d", "b": "SELECT * FROM c", "c": "SELECT 1 AS bc", "d": "SELECT * FROM c"}
    assert creation_order(queries) == ["c", "b", "d", "a"]


def _make_old(engine: Engine) -> None:
    """Views as an earlier version may have left them: one with another query, one that is gone since."""
    with writing(engine) as conn:
        for statement in OLD:
            conn.execute(text(statement))
        conn.execute(definition.update().where(definition.c.name == "subject_without_link").values(digest="old"))
        conn.execute(definition.insert().values(name="former", digest="old"))


def _assert_renewed(engine: Engine) -> None:
    assert set(inspect(engine).get_view_names()) == set(view_metadata.tables)
    with reading(engine) as conn:
        for view in view_metadata.sorted_tables:
            conn.execute(select(view)).all()
        assert set(conn.execute(select(definition.c.name)).scalars()) == {*view_metadata.tables, "comments"}


def test_views_that_differ_are_made_again(empty_url: str) -> None:
    engine = open_warehouse(empty_url)
    migrate(engine)
    _make_old(engine)
    migrate(engine)
    _assert_renewed(engine)
    engine.dispose()


def _migrate(url: str) -> None:
    migrate(open_warehouse(url))


def test_processes_that_start_at_once_make_them_once(empty_url: str) -> None:
    engine = open_warehouse(empty_url)
    migrate(engine)
    _make_old(engine)
    engine.dispose()
    with multiprocessing.get_context("fork").Pool(4) as pool:
        pool.map(_migrate, [empty_url] * 8, chunksize=1)
    _assert_renewed(engine)
    engine.dispose()


@on_postgresql
def test_views_that_are_the_same_are_left_alone(warehouse: Engine) -> None:
    """A query that somebody runs on them would keep every start of Jejak waiting."""
    oids = text("SELECT relname, oid FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace")
    with reading(warehouse) as conn:
        before = conn.execute(oids).all()
    migrate(warehouse)
    with reading(warehouse) as conn:
        assert conn.execute(oids).all() == before != []


@on_postgresql
def test_roles_read_the_views_as_before(warehouse: Engine) -> None:
    grants = text(
        "SELECT table_name, grantee FROM information_schema.role_table_grants "
        "WHERE privilege_type = 'SELECT' AND grantee IN ('jejak test reader', 'PUBLIC') AND table_schema = 'public'"
    )
    with writing(warehouse) as conn:
        conn.execute(text('CREATE ROLE "jejak test reader"'))
        conn.execute(text('GRANT SELECT ON process_trace, family_trace TO "jejak test reader"'))
        conn.execute(text("GRANT SELECT ON family_trace TO PUBLIC"))
    try:
        with reading(warehouse) as conn:
            before = set(conn.execute(grants).all())
        assert len(before) == 3
        _make_old(warehouse)
        migrate(warehouse)
        _assert_renewed(warehouse)
        with reading(warehouse) as conn:
            assert set(conn.execute(grants).all()) == before
    finally:
        with writing(warehouse) as conn:
            conn.execute(text('DROP OWNED BY "jejak test reader"'))
            conn.execute(text('DROP ROLE "jejak test reader"'))
            conn.execute(text("REVOKE SELECT ON family_trace FROM PUBLIC"))


@on_postgresql
def test_views_of_others_stop_the_change_and_are_kept(warehouse: Engine) -> None:
    with writing(warehouse) as conn:
        conn.execute(text("CREATE VIEW own_work AS SELECT ocid FROM process_trace"))
    try:
        _make_old(warehouse)
        with pytest.raises(SettingsError, match=r"others are built on them.*jejak migrate"):
            migrate(warehouse)
        with writing(warehouse) as conn:
            assert conn.execute(text("SELECT count(*) FROM own_work")).scalar_one() == 0
    finally:
        with writing(warehouse) as conn:
            conn.execute(text("DROP VIEW own_work"))
    migrate(warehouse)
    _assert_renewed(warehouse)


@on_postgresql
def test_tables_and_columns_are_explained_in_the_database(warehouse: Engine) -> None:
    engine = create_engine(warehouse.url)
    found = {
        (row.relname, row.attname): row.description
        for row in engine.connect().execute(
            text(
                "SELECT relname, attname, description FROM pg_description "
                "JOIN pg_class ON pg_class.oid = objoid "
                "LEFT JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid AND objsubid > 0 "
                "WHERE relnamespace = 'public'::regnamespace AND classoid = 'pg_class'::regclass"
            )
        )
    }
    expected: dict[tuple[str, str | None], str | None] = {}
    for table in (*metadata.sorted_tables, *view_metadata.sorted_tables):
        expected[table.name, None] = table.comment
        expected |= {(table.name, column.name): column.comment for column in table.columns}
    assert found == expected
    engine.dispose()
