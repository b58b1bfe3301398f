"""What goes wrong with a store, in words that name the store and the remedy."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError


class StoreError(RuntimeError):
    """The store cannot be used, or not written to; the message says why and what to do."""


class JobTakenError(StoreError):
    """Another process has this job now; whoever gets this must stop working on it."""


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turn what a database driver says into a :class:`StoreError` about the store ``where``."""
    try:
        yield
    except DBAPIError as error:
        raise StoreError(f"{where}: {_plainly(error.orig)}") from error
    except SQLAlchemyError as error:
        raise StoreError(f"{where}: {_first_line(error)}") from error
    except sqlite3.Error as error:
        raise StoreError(f"{where}: {_plainly(error)}") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StoreError(f"{where}: {_FULL}") from error
        raise StoreError(f"{where}: {error.strerror or error}") from error


_FULL = "the disk is full; free some space and go on: what was stored before is safe"

_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: "may not be written; change the permissions of the file and its folder, or name another",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; is the folder there, and may it be written?",
    sqlite3.SQLITE_BUSY: "another process has been writing for too long; end it, or use PostgreSQL for many writers",
    sqlite3.SQLITE_NOTADB: "is no SQLite database; name another file",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore a copy, or move it away and start a new one",
    sqlite3.SQLITE_IOERR: "cannot be read or written (input/output error); is the disk full or gone?",
}


def _plainly(error: BaseException | None) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _SQLITE:  # the low byte is the error, the rest says which variety of it
        return _SQLITE[code & 0xFF]
    if getattr(error, "sqlstate", None) == "53100":
        return _FULL
    return _first_line(error)


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
