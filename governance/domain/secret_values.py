"""Secrets come from the environment, or from a file that the environment names; none is kept in the database.

A file (`NAME_FILE`) is read each time, so that what a Vault agent writes anew counts at once. See docs/security.md.
"""

from __future__ import annotations

import os
from pathlib import Path

MOST_BYTES = 64 * 1024


class SecretUnreadable(Exception):
    """`NAME_FILE` names a file that cannot be read. The message holds the variable's name, never a secret."""


def secret_value(name: str, default: str = "") -> str:
    """The secret of that name: the content of the file `NAME_FILE` names, else the variable `NAME`, else `default`.

    One line break at the end of a file does not count. Raises `SecretUnreadable` where the file is missing, too large or no
    text: falling back to nothing would switch a check off.
    """
    path = os.environ.get(f"{name}_FILE", "")
    if not path:
        return os.environ.get(name, "") or default
    try:
        with Path(path).open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise SecretUnreadable(f"{name}_FILE names a file above {MOST_BYTES // 1024} KiB; a secret is shorter.")
        return raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as exc:
        raise SecretUnreadable(f"{name}_FILE names a file that cannot be read: {type(exc).__name__}.") from exc
