"""How Alembic runs the migrations: on the connection and in the transaction of `warehouse.engine.migrate`."""

from alembic import context

from warehouse.tables import VERSION_TABLE, metadata
from warehouse.views import view_metadata


def _is_table(obj: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    return not (kind == "table" and name in view_metadata.tables)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    compare_type=True,
    compare_server_default=True,
    include_object=_is_table,
    transactional_ddl=True,
)
context.run_migrations()
