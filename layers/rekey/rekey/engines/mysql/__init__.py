"""MySQL, Aurora MySQL and MariaDB."""

from rekey.engines.mysql.engine import MysqlEngine

__all__ = ["MysqlEngine"]
