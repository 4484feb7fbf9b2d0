"""PostgreSQL and Aurora PostgreSQL."""

from rekey.engines.postgresql.engine import PostgresqlEngine

__all__ = ["PostgresqlEngine"]
