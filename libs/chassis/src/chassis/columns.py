"""Columns of declared tables, several of one type at a time, so that a table reads as a list of what it keeps."""

from typing import Any

from sqlalchemy import Column, DateTime, Text
from sqlalchemy.types import TypeEngine

Kind = type[TypeEngine[Any]] | TypeEngine[Any]
MOMENT = DateTime(timezone=True)
ID = Text(collation="C")
"""Ids are compared byte by byte, which is what cursors and indexes expect."""


def key(kind: Kind, *names: str) -> list[Column[Any]]:
    """The primary key, or columns of it."""
    return [Column(name, kind, primary_key=True, autoincrement=False) for name in names]


def required(kind: Kind, *names: str) -> list[Column[Any]]:
    return [Column(name, kind, nullable=False) for name in names]


def optional(kind: Kind, *names: str) -> list[Column[Any]]:
    return [Column(name, kind) for name in names]
