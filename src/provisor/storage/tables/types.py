"""Column types that mean the same on both engines."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Integer, MetaData, Text
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

# Text that is compared and sorted by its bytes, as SQLite does.
Key: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
# A JSON document, kept as text: it is served and compared as it was written, and never searched inside.
Document: TypeEngine[str] = Text()
# Milliseconds since 1970 UTC.
Moment: TypeEngine[int] = BigInteger()
Number: TypeEngine[int] = BigInteger()
# A number that is the primary key alone: SQLite has the rows in its order, without an index beside them.
RowNumber: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
Flag: TypeEngine[bool] = Boolean(create_constraint=False)
