"""A large file in pieces: broken off, sent again, in the wrong order, by two at once, and never taken for what it is not."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from governance.domain.vocabulary import Scope
from governance.models import AuditEvent, EvidenceFile
from governance.selectors.evidence import evidence_path
from tests.governance import making

pytestmark = pytest.mark.django_db(transaction=True)
DATA = bytes(range(256)) * 40
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.EVIDENCE_DIR = tmp_path
    return tmp_path


@pytest.fixture
def client() -> Client:
    return Client(**making.bearer(making.token(making.person("dana"))))  # type: ignore[arg-type]


def put(client: Client, given: str, body: bytes = b"", digest: str = DIGEST) -> Any:
    return client.put(
        f"/api/v1/evidence/{digest}?name=rows.csv", body, content_type="application/octet-stream", HTTP_CONTENT_RANGE=given
    )


def test_it_goes_on_where_it_was(client: Client, folder: Path) -> None:
    total = len(DATA)
    assert put(client, f"bytes */{total}").json() == {"offset": 0}
    assert put(client, f"bytes 0-3999/{total}", DATA[:4000]).json() == {"offset": 4000}
    assert put(client, f"bytes 0-3999/{total}", DATA[:4000]).json() == {"offset": 4000}, "sent again, it changes nothing"
    assert put(client, f"bytes 3000-5999/{total}", DATA[3000:6000]).json() == {"offset": 6000}, "what overlaps is skipped"
    gap = put(client, f"bytes 7000-7999/{total}", DATA[7000:8000])
    assert gap.status_code == 409 and "6000 bytes have arrived" in gap.json()["detail"]
    assert not EvidenceFile.objects.exists()
    assert client.get(f"/api/v1/evidence/{DIGEST}").status_code == 404, "half a file is no file"
    whole = put(client, f"bytes 6000-{total - 1}/{total}", DATA[6000:])
    assert whole.status_code == 201 and whole.json()["sha256"] == DIGEST and whole.json()["name"] == "rows.csv"
    assert evidence_path(DIGEST).read_bytes() == DATA
    assert AuditEvent.objects.filter(action="evidence.stored").count() == 1
    assert put(client, f"bytes */{total}").status_code == 201, "known: nothing is to be sent"
    assert not list(folder.glob(".partial-*"))


def test_another_content_is_refused_and_forgotten(client: Client, folder: Path) -> None:
    wrong = put(client, f"bytes 0-{len(DATA) - 1}/{len(DATA)}", DATA[::-1])
    assert wrong.status_code == 422 and wrong.json()["code"] == "other_digest"
    assert not EvidenceFile.objects.exists() and not list(folder.glob(".partial-*"))


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ("", b"x"),
        ("bytes 0-9", b"x" * 10),
        ("bytes 5-4/10", b""),
        ("bytes 0-10/10", b"x" * 11),
        ("bytes 0-0/0", b""),
        ("bytes 0-1/99999999999", b"xx"),
        ("bytes 0-99999999/100000000", b"x"),
        ("bytes 0-4/10", b"far too long"),
        ("bytes 0-9/10", b"short"),
        ("items 0-9/10", b"x" * 10),
    ],
)
def test_what_is_no_piece_is_refused(client: Client, given: str, body: bytes) -> None:
    assert put(client, given, body).status_code == 422


def test_others_do_not_see_or_go_on_with_it(client: Client, folder: Path) -> None:
    put(client, f"bytes 0-99/{len(DATA)}", DATA[:100])
    gus = making.person("gus", of=making.unit("shop"))
    other = Client(**making.bearer(making.token(gus, of=making.unit("shop"))))  # type: ignore[arg-type]
    assert put(other, f"bytes */{len(DATA)}").json() == {"offset": 0}
    reading = Client(**making.bearer(making.token(making.person("dana"), Scope.READ)))  # type: ignore[arg-type]
    assert put(reading, f"bytes */{len(DATA)}").status_code == 403
    assert put(client, "bytes */10", digest="0" * 63).status_code == 422
    old = time.time() - 2 * 86_400
    for left in folder.glob(".partial-*"):
        os.utime(left, (old, old))
    assert put(client, f"bytes */{len(DATA)}").json() == {"offset": 0}, "after a day it begins anew"
