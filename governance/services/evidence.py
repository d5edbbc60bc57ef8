"""The evidence store: files by content, written once, never changed.

Bytes lie under `<EVIDENCE_DIR>/<first two hex digits>/<sha256>`. The row per business unit says who brought them; the same
bytes in another unit are another row, so that knowing a digest gives no access.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from governance.domain.errors import InvalidInput, NotFound
from governance.domain.vocabulary import Scope
from governance.models import EvidenceFile
from governance.selectors.access import Caller, visible
from governance.selectors.evidence import evidence_path
from governance.services.work import unit_of_work

_INCOMING = ".incoming-"
_NOBODYS_AFTER = 86_400.0  # seconds; no upload takes a day


def store_evidence(
    *, caller: Caller, unit_id: int, name: str, media_type: str, chunks: Iterable[bytes]
) -> tuple[EvidenceFile, bool]:
    """Store a stream of bytes. Returns the row and whether it is new in this unit.

    The stream is hashed while it is written to a temporary file, so memory stays bounded whatever its size. Raises `InvalidInput`
    for an empty or over-large file; what was half written is removed.
    """
    caller.require_scope(Scope.EVIDENCE)
    name = clean_name(name)
    digest, size = _write(name, chunks)
    known = EvidenceFile.objects.filter(unit_id=unit_id, sha256=digest).first()
    if known is not None:
        return known, False
    assert caller.person is not None
    with unit_of_work(caller) as work:
        row, created = EvidenceFile.objects.get_or_create(
            unit_id=unit_id,
            sha256=digest,
            defaults={"size": size, "name": name, "media_type": media_type[:120], "uploaded_by": caller.person},
        )
        if created:
            work.note("evidence.stored", f"evidence:{digest}", {"sha256": digest, "size": size}, unit=unit_id)
    return row, created


def find_evidence(*, caller: Caller, unit_id: int, sha256: str) -> EvidenceFile:
    """The stored file of a digest in that unit, or `NotFound`."""
    row = visible(EvidenceFile.objects.filter(unit_id=unit_id, sha256=sha256.removeprefix("sha256:")), caller).first()
    if row is None:
        raise NotFound(f"No evidence with sha256 {sha256[:19]}… is stored in this unit. Send it first: POST /api/v1/evidence.")
    return row


def clean_name(name: str) -> str:
    """The last part of a file name, without control characters; `evidence` when nothing is left."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(ch for ch in base if ch.isprintable())[:255].strip() or "evidence"


def _write(name: str, chunks: Iterable[bytes]) -> tuple[str, int]:
    root = Path(settings.EVIDENCE_DIR)
    root.mkdir(parents=True, exist_ok=True)
    _sweep(root)
    hasher, size = hashlib.sha256(), 0
    handle, temporary = tempfile.mkstemp(dir=root, prefix=_INCOMING)
    try:
        with os.fdopen(handle, "wb") as out:
            for chunk in chunks:
                size += len(chunk)
                if size > settings.EVIDENCE_MAX_BYTES:
                    raise InvalidInput(
                        f"{name} is larger than {_size(settings.EVIDENCE_MAX_BYTES)}, the most this installation takes. "
                        "Send a sample, or Parquet with only the columns that are needed.",
                        code="too_large",
                    )
                hasher.update(chunk)
                out.write(chunk)
            if size == 0:
                raise InvalidInput(f"{name} is empty. Check that the export finished, then send it again.", code="empty_file")
            out.flush()
            os.fsync(out.fileno())
        target = evidence_path(hasher.hexdigest())
        target.parent.mkdir(exist_ok=True)
        Path(temporary).chmod(0o440)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return hasher.hexdigest(), size


def _sweep(root: Path) -> None:
    """Remove what a killed process left half written. An upload still under way touches its file and is younger."""
    for left in root.glob(f"{_INCOMING}*"):
        with suppress(FileNotFoundError):  # another process sweeps as well, or the upload has just ended
            if left.stat().st_mtime < time.time() - _NOBODYS_AFTER:
                left.unlink()


def _size(count: int) -> str:
    for limit, unit in ((1024**3, "GiB"), (1024**2, "MiB")):
        if count >= limit:
            return f"{count / limit:.1f} {unit}"
    return f"{count:,} bytes"
