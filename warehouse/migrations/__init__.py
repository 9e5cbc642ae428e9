"""The warehouse's schema, step by step; `warehouse.engine.migrate` walks it, and a test holds it equal to `tables.py`.

To change the schema: change `warehouse/tables.py`, then, on a migrated SQLite warehouse,

    with writing(open_warehouse(url)) as conn:
        alembic.command.revision(alembic_config(conn), "what changes", autogenerate=True)

read what came out (Alembic doesn't see the conditions of partial indexes), and run `python -m warehouse.dictionary`. A
revision that has been released is never changed. Views and comments have no place in revisions: `migrate` makes them
from `warehouse/views/*.sql` and `tables.py`.
"""
