"""The evidence store: by content, once for each unit, bounded, and whole or not there at all."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.domain.errors import Forbidden, InvalidInput, NotFound
from governance.domain.vocabulary import EvidenceRole, Role, Scope
from governance.models import AuditEvent, EvidenceFile
from governance.selectors.access import caller_for
from governance.selectors.evidence import evidence_path, stored_source
from governance.services.drafts import attach_evidence, changing
from governance.services.evidence import clean_name, find_evidence, store_evidence
from tests.governance import making
from tests.stack import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: object) -> Path:
    settings.EVIDENCE_DIR = tmp_path / "evidence"  # type: ignore[attr-defined]
    return tmp_path / "evidence"


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_lies_under_its_own_digest_and_cannot_be_written_again(store: Path) -> None:
    content = b"a,b\n1,2\n"
    row = making.stored(content, name="rows.csv")
    digest = hashlib.sha256(content).hexdigest()
    assert (row.sha256, row.size, row.name) == (digest, len(content), "rows.csv")
    path = evidence_path(digest)
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o222 == 0
    assert kept(store) == [path]


def test_the_same_bytes_again_are_the_same_row_and_one_event(store: Path) -> None:
    first = making.stored(b"x", name="one.csv")
    again, created = store_evidence(
        caller=making.caller(), unit_id=making.unit().pk, name="two.csv", media_type="text/csv", chunks=[b"x"]
    )
    assert (again, created) == (first, False)
    assert len(kept(store)) == 1
    assert AuditEvent.objects.filter(action="evidence.stored").count() == 1


def test_the_same_bytes_in_another_unit_are_another_row(store: Path) -> None:
    mine = making.stored(b"secret")
    theirs = making.stored(b"secret", by=making.caller("gus", of=making.unit("shop")))
    assert mine.pk != theirs.pk and mine.sha256 == theirs.sha256
    assert len(kept(store)) == 1


def test_a_digest_of_another_unit_is_as_unknown_as_one_nobody_has() -> None:
    making.policy()
    theirs = making.stored(b"secret", by=making.caller("gus", of=making.unit("shop")))
    nobody = "0" * 64
    row = making.opened()
    words = []
    for sha256 in (theirs.sha256, nobody):
        with pytest.raises(InvalidInput) as refused, changing(making.caller(), row.pk) as (work, submission):
            attach_evidence(work, submission, making.NewEvidence(EvidenceRole.DOCUMENT, sha256))
        with pytest.raises(InvalidInput) as as_source:
            stored_source(making.unit().pk, sha256)
        with pytest.raises(NotFound) as asked:
            find_evidence(caller=making.caller(), unit_id=making.unit().pk, sha256=sha256)
        with pytest.raises(NotFound):
            find_evidence(caller=making.caller(), unit_id=making.unit("shop").pk, sha256=sha256)
        words.append([e.value.detail.replace(sha256[:19], "…") for e in (refused, as_source, asked)])
    assert words[0] == words[1], "the refusal must not tell whether another unit has the file"
    assert not row.evidence.exists()


def test_an_empty_file_is_refused_by_name_and_leaves_nothing(store: Path) -> None:
    with pytest.raises(InvalidInput, match=r"rows\.csv is empty") as refused:
        making.stored(b"")
    assert refused.value.code == "empty_file"
    assert kept(store) == [] and not EvidenceFile.objects.exists()


@pytest.mark.parametrize(("size", "fits"), [(1000, True), (1001, False)])
def test_the_limit_is_exact_and_what_is_too_large_leaves_nothing(store: Path, settings: object, size: int, fits: bool) -> None:
    settings.EVIDENCE_MAX_BYTES = 1000  # type: ignore[attr-defined]
    if fits:
        assert making.stored(b"x" * size).size == size
        return
    with pytest.raises(InvalidInput) as refused:
        making.stored(b"x" * size)
    assert refused.value.code == "too_large"
    assert "rows.csv" in refused.value.detail and "1,000 bytes" in refused.value.detail and "Parquet" in refused.value.detail
    assert kept(store) == []


def test_what_comes_too_long_is_not_read_to_its_end(settings: object) -> None:
    settings.EVIDENCE_MAX_BYTES = 5_000  # type: ignore[attr-defined]
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 1_000

    with pytest.raises(InvalidInput):
        store_evidence(caller=making.caller(), unit_id=making.unit().pk, name="x", media_type="", chunks=endless())
    assert read == 6


def test_two_gibibytes_are_stored_without_being_held(store: Path, settings: object) -> None:
    """The default limit is just below 2 GiB; 300 MB stand in for it here, in a process that may not grow by 60."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    chunk = b"\0" * (1 << 20)
    row, _ = store_evidence(
        caller=making.caller(), unit_id=making.unit().pk, name="x", media_type="", chunks=(chunk for _ in range(300))
    )
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert row.size == 300 * (1 << 20)
    assert grown < 60, f"memory grew by {grown:.0f} MiB"
    assert settings.EVIDENCE_MAX_BYTES == 2 * 1024**3 - 1  # type: ignore[attr-defined]


def test_a_stream_that_breaks_leaves_nothing(store: Path) -> None:
    def breaks() -> Iterator[bytes]:
        yield b"half"
        raise OSError("the connection went away")

    with pytest.raises(OSError, match="went away"):
        store_evidence(caller=making.caller(), unit_id=making.unit().pk, name="x", media_type="", chunks=breaks())
    assert kept(store) == [] and not EvidenceFile.objects.exists()


_WRITER = """
import os, sys, django
django.setup()
from governance.services.evidence import _write
def slowly():
    yield b"half of it"
    print("half", flush=True)
    sys.stdin.read()
_write("x", slowly())
"""


def test_a_process_killed_while_writing_leaves_no_file_that_counts(store: Path) -> None:
    environment = {**os.environ, "GUIDERAIL_EVIDENCE_DIR": str(store)}
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == b"half\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    left = kept(store)
    assert [path.name.startswith(".incoming-") for path in left] == [True], left
    # what a killed process left is swept by a later upload, once it is old enough to be nobody's
    old = time.time() - 2 * 86_400
    os.utime(left[0], (old, old))
    making.stored(b"next")
    assert [path.name for path in kept(store)] == [hashlib.sha256(b"next").hexdigest()]


def test_an_upload_under_way_is_not_swept(store: Path) -> None:
    making.stored(b"first")
    under_way = store / ".incoming-now"
    under_way.write_bytes(b"half")
    making.stored(b"next")
    assert under_way.exists()


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("rows.csv", "rows.csv"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("../../", "evidence"),
        ("a\x00b\n\u202egnp.csv", "abgnp.csv"),
        ("   ", "evidence"),
        ("", "evidence"),
        ("ü" * 300, "ü" * 255),
        ("half\ud800.csv", "half.csv"),
    ],
)
def test_names_are_cleaned(sent: str, name: str) -> None:
    assert clean_name(sent) == name


def test_a_token_needs_the_scope() -> None:
    who = making.person()
    row, _ = making.issue_token(caller=making.SYSTEM, person=who, unit=making.unit(), name="t", scopes=[Scope.SUBMIT, Scope.READ])
    with pytest.raises(Forbidden, match="evidence"):
        store_evidence(
            caller=caller_for(who, token=row), unit_id=making.unit().pk, name="x", media_type="text/csv", chunks=[b"x"]
        )


def test_who_uploaded_a_file_that_somebody_else_attaches_contributes() -> None:
    making.policy()
    file = making.stored(b"rows", by=making.caller("eli"))
    row = making.opened(making.new(evidence={EvidenceRole.CANDIDATE_PREDICTIONS: file.sha256}))
    assert {(c.person.username, c.why) for c in row.contributors.select_related("person")} >= {
        ("dana", "attached evidence to it"),
        ("eli", "uploaded evidence for it"),
    }


def test_roles_do_not_open_other_units() -> None:
    file = making.stored(b"rows")
    with pytest.raises(NotFound):
        find_evidence(caller=making.caller("gus", Role.ADMIN, of=making.unit("shop")), unit_id=file.unit_id, sha256=file.sha256)
