"""Evidence that arrives in pieces, so that a connection that breaks costs one piece and not the file.

A piece is appended where the last one ended; a piece sent again changes nothing. The file counts only when it is whole and has
the digest it was announced with. Pieces lie beside the evidence under names of unit, person and digest, and are forgotten after a
day.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path

from django.conf import settings

from governance.domain.errors import Conflict, FieldError, InvalidInput
from governance.domain.vocabulary import Scope
from governance.models import EvidenceFile
from governance.selectors.access import Caller
from governance.services.evidence import store_evidence

MOST_PIECE, MOST_BEGUN, KEPT_SECONDS = 64 * 1024**2, 20, 86_400.0
_PREFIX = ".partial-"
_RANGE = re.compile(r"bytes (?:(\d{1,13})-(\d{1,13})|\*)/(\d{1,13})")


@dataclass(frozen=True)
class Piece:
    """`bytes 0-99/1000`: from `start` up to but not including `end`; both None asks how much has arrived."""

    start: int | None
    end: int | None
    total: int

    @classmethod
    def parse(cls, header: str) -> Piece:
        """Read a `Content-Range`. Raises `InvalidInput`."""
        found = _RANGE.fullmatch(header.strip())
        if found is None:
            raise _wrong("Send Content-Range: bytes 0-8388607/20000000, or bytes */20000000 to ask how much has arrived.")
        start, end = (int(found[1]), int(found[2]) + 1) if found[1] is not None else (None, None)
        piece = cls(start, end, int(found[3]))
        if piece.total == 0 or piece.total > settings.EVIDENCE_MAX_BYTES:
            raise _wrong(f"A file has 1 to {settings.EVIDENCE_MAX_BYTES:,} bytes.")
        if start is not None and end is not None and not (start < end <= piece.total and end - start <= MOST_PIECE):
            raise _wrong(f"A piece lies within the file and has up to {MOST_PIECE:,} bytes.")
        return piece


def take_piece(
    *, caller: Caller, unit_id: int, sha256: str, name: str, media_type: str, piece: Piece, chunks: Iterable[bytes]
) -> tuple[int, EvidenceFile | None]:
    """Append a piece. Returns how much has arrived, and the stored file once it is whole.

    Raises `Conflict` for a gap, `InvalidInput` for a body of another length or a whole file of another digest (it begins anew).
    """
    caller.require_scope(Scope.EVIDENCE)
    assert caller.person is not None
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise _wrong("The address ends with the sha256 of the whole file: 64 hexadecimal digits.")
    known = EvidenceFile.objects.filter(unit_id=unit_id, sha256=sha256).first()
    if known is not None:
        return known.size, known
    with _open(unit_id, caller.person.pk, sha256) as (path, file):
        arrived = file.seek(0, os.SEEK_END)
        if piece.start is None or piece.end is None:
            return arrived, None
        if piece.start > arrived:
            raise Conflict(f"{arrived} bytes have arrived, so the next piece begins there, not at {piece.start}.", code="gap")
        arrived = _append(file, arrived, piece, chunks)
        if arrived < piece.total:
            return arrived, None
        file.seek(0)
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            path.unlink(missing_ok=True)
            raise InvalidInput(
                "The file is whole and has another sha256 than was announced. Send it again from the beginning.",
                code="other_digest",
                errors=(FieldError("/sha256", "other_digest", "What arrived is not the file that was announced."),),
            )
        file.seek(0)
        row, _ = store_evidence(caller=caller, unit_id=unit_id, name=name, media_type=media_type, chunks=_read(file))
        path.unlink(missing_ok=True)
    return arrived, row


def _append(file: BufferedRandom, arrived: int, piece: Piece, chunks: Iterable[bytes]) -> int:
    """Write what is new of a piece. A body that ends early leaves what came; one that is too long is refused, not kept."""
    assert piece.start is not None and piece.end is not None
    at = piece.start
    for chunk in chunks:
        if at + len(chunk) > piece.end:
            file.truncate(arrived)
            raise _wrong("The body is longer than its Content-Range says.")
        fresh = chunk[max(0, arrived - at) :]
        at += len(chunk)
        if fresh and at > arrived:
            file.write(fresh)
    file.flush()
    os.fsync(file.fileno())
    if at < piece.end:
        raise _wrong("The body is shorter than its Content-Range says. What arrived is kept: ask how much, and go on there.")
    return max(arrived, at)


@contextmanager
def _open(unit_id: int, person_id: int, sha256: str) -> Iterator[tuple[Path, BufferedRandom]]:
    """The pieces so far, held by this request alone."""
    root = Path(settings.EVIDENCE_DIR)
    root.mkdir(parents=True, exist_ok=True)
    _forget(root)
    mine = f"{_PREFIX}{unit_id}-{person_id}-"
    path = root / f"{mine}{sha256}"
    if not path.exists() and sum(1 for _ in root.glob(f"{mine}*")) >= MOST_BEGUN:
        raise Conflict(f"{MOST_BEGUN} files are under way already. Finish one, or wait a day.", code="too_many")
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise Conflict(
                "Another request is sending this very file. Wait for it, then ask how much has arrived.", code="busy"
            ) from exc
        yield path, file


def _read(file: BufferedRandom) -> Iterator[bytes]:
    while chunk := file.read(1024**2):
        yield chunk


def _forget(root: Path) -> None:
    for left in root.glob(f"{_PREFIX}*"):
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < time.time() - KEPT_SECONDS:
                left.unlink()


def _wrong(says: str) -> InvalidInput:
    return InvalidInput(says, errors=(FieldError("/Content-Range", "invalid", says),))
