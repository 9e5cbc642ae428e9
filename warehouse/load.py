"""Bulk writes that mean the same on both databases: executemany on SQLite, COPY on PostgreSQL."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import psycopg
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    tuple_,
)

from warehouse.engine import to_json, without_values

Row = Mapping[str, Any]


def insert_rows(conn: Connection, table: Table, rows: Iterable[Row]) -> int:
    """Insert rows (column name -> Python value; a JSON column takes lists, dicts, or JSON as bytes); return how many.

    Columns that the first row leaves out get their default; the other rows must have the same columns. `rows` may be
    a generator: it is consumed as it is sent. Raises the driver's own error, without values of the rows.
    """
    first, rows = _peek(rows)
    if first is None:
        return 0
    values = _Values(conn, table, first, rows)
    cursor = _cursor(conn)
    if conn.dialect.name == "sqlite":
        marks = ", ".join("?" * len(first))
        cursor.executemany(f"INSERT INTO {values.table} ({values.columns}) VALUES ({marks})", values)
    else:
        try:
            with cursor.copy(f"COPY {values.table} ({values.columns}) FROM STDIN") as copy:
                for value in values:
                    copy.write_row(value)
        except psycopg.Error as error:
            raise without_values(error) from None
    return values.count


def upsert_rows(conn: Connection, table: Table, rows: Iterable[Row]) -> int:
    """Insert rows or, where the primary key is there, replace the columns given; return how many rows were sent.

    Of several rows with one key the last wins.
    """
    first, rows = _peek(rows)
    if first is None:
        return 0
    values = _Values(conn, table, first, rows)
    quote = conn.dialect.identifier_preparer.quote
    keys = ", ".join(quote(column.name) for column in table.primary_key)
    others = [quote(name) for name in first if name not in table.primary_key.columns]
    action = "UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in others) if others else "NOTHING"
    mark = "?" if conn.dialect.name == "sqlite" else "%s"
    cursor = _cursor(conn)
    try:
        cursor.executemany(
            f"INSERT INTO {values.table} ({values.columns}) VALUES ({', '.join([mark] * len(first))}) "
            f"ON CONFLICT ({keys}) DO {action}",
            values,
        )
    except psycopg.Error as error:
        raise without_values(error) from None
    return values.count


def key_set(conn: Connection, values: Iterable[str] | Iterable[int], kind: type[str] | type[int] = str) -> Select[Any]:
    """Any number of keys as a one-column query, for `column.in_(key_set(conn, ocids))` or, as a subquery, for joins.

    The keys travel as one parameter: no limit on their number, no temporary table, also while only reading. Say `int`
    of numbers where there may be none: PostgreSQL doesn't compare numbers with an empty set of text.
    """
    keys = list(values)
    if conn.dialect.name == "sqlite":
        table = func.json_each(bindparam(None, to_json(keys), Text)).table_valued("value")
        return select(table.c.value.label("key"))
    array = ARRAY(BigInteger if (type(keys[0]) if keys else kind) is int else Text)
    return select(func.unnest(bindparam(None, keys, array)).column_valued("key"))


def of_codes(
    conn: Connection, kind: Column[Any], code: Column[Any], codes: Iterable[tuple[str, str]]
) -> ColumnElement[bool]:
    """Rows of some (kind, code)s, any number of them: by the index of both columns."""
    pairs = sorted(set(codes))
    if conn.dialect.name == "sqlite":
        pair = func.json_each(bindparam(None, to_json(pairs), Text)).table_valued("value").c.value
        parts = [func.json_extract(pair, place) for place in ("$[0]", "$[1]")]
    else:
        texts = ([each for each, _ in pairs], [each for _, each in pairs])
        parts = [func.unnest(bindparam(None, part, ARRAY(Text))) for part in texts]
    # The kinds by themselves lead SQLite to that index where others would do.
    return kind.in_({each for each, _ in pairs}) & tuple_(kind, code).in_(select(*parts))


def delete_by(conn: Connection, table: Table, column: Column[Any], values: Iterable[str] | Iterable[int]) -> int:
    """Delete the rows whose `column` is one of `values`, and return how many."""
    kind = int if isinstance(column.type, Integer) else str
    return conn.execute(delete(table).where(column.in_(key_set(conn, values, kind)))).rowcount


def _cursor(conn: Connection) -> Any:
    """The driver's cursor. It knows nothing of SQLAlchemy's transactions: without one SQLite would commit each row."""
    if not conn.in_transaction():
        raise RuntimeError("rows are written inside a transaction: use `with writing(engine) as conn`")
    return conn.connection.cursor()


def _peek(rows: Iterable[Row]) -> tuple[Row | None, Iterable[Row]]:
    iterator = iter(rows)
    first = next(iterator, None)
    return first, iterator if first is None else chain([first], iterator)


class _Values:
    """Rows as the driver's tuples, in the order of the first row's columns; `count` is how many went through."""

    def __init__(self, conn: Connection, table: Table, first: Row, rows: Iterable[Row]) -> None:
        quote = conn.dialect.identifier_preparer.quote
        self.table = quote(table.name)
        self.columns = ", ".join(quote(name) for name in first)
        self.count = 0
        self._names = list(first)
        self._rows = rows
        converters = [_converter(conn, table.c[name]) for name in first]
        self._converters = [(place, convert) for place, convert in enumerate(converters) if convert]

    def __iter__(self) -> Iterator[Sequence[Any]]:
        width, names, converters = len(self._names), self._names, self._converters
        pick: Callable[[Row], Iterable[Any]] = itemgetter(*names) if width > 1 else lambda row: (row[names[0]],)
        for row in self._rows:
            if len(row) != width:
                raise ValueError(f"rows for one insert have different columns: {sorted(set(row) ^ set(names))}")
            values = list(pick(row))
            for place, convert in converters:
                if values[place] is not None:
                    values[place] = convert(values[place])
            self.count += 1
            yield values


def _converter(conn: Connection, column: Column[Any]) -> Callable[[Any], Any] | None:
    """What SQLAlchemy would do to a value of this column on its way to the driver."""
    if isinstance(column.type, JSON):
        return _json_text
    return column.type.dialect_impl(conn.dialect).bind_processor(conn.dialect)


def _json_text(value: Any) -> str:
    return value.decode() if type(value) is bytes else to_json(value)
