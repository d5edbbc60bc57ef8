"""The published keys: for anybody, the signing one first, and no private half."""

from __future__ import annotations

import base64
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from governance.services.signing import signing_keys


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path, settings: Any) -> None:
    settings.PERMIT_KEYS_DIR = tmp_path / "keys"


def test_anybody_reads_the_public_keys() -> None:
    answer = Client().get("/.well-known/guiderail/keys.json")
    assert answer.status_code == 200
    (row,) = answer.json()["keys"]
    assert set(row) == {"kty", "crv", "use", "alg", "kid", "x"}, "nothing private"
    (key,) = signing_keys()
    assert base64.urlsafe_b64decode(row["x"] + "=") == key.public_key().public_bytes_raw()


def test_a_new_key_signs_and_the_older_one_stays_published(tmp_path: Path) -> None:
    first = Client().get("/.well-known/guiderail/keys.json").json()["keys"][0]["kid"]
    call_command("permit_keys", "new", stdout=StringIO())
    listed = StringIO()
    call_command("permit_keys", "list", stdout=listed)
    new, old = listed.getvalue().split()
    assert (old, new != old) == (first, True)
    assert [row["kid"] for row in Client().get("/.well-known/guiderail/keys.json").json()["keys"]] == [new, old]
    for path in (tmp_path / "keys").iterdir():
        assert path.stat().st_mode & 0o077 == 0, "for the owner only"
