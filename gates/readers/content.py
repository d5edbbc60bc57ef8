"""What a file is, told by its bytes and never by its name. Nothing here opens, unpacks or loads the content."""

from __future__ import annotations

import re
from pathlib import Path

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers.caps import CAPS, Caps, bytes_in_words

HEAD_BYTES = 4096
TAIL_BYTES = 8

PICKLES = frozenset({"a pickle file", "a PyTorch file (a zip with a pickle inside)", "a compressed joblib or pickle file"})

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "parquet"),
    (b"PARE", "an encrypted Parquet file"),
    (b"ARROW1", "an Arrow IPC (Feather) file"),
    (b"FEA1", "an Arrow IPC (Feather) file"),
    (b"\xff\xff\xff\xff", "an Arrow IPC stream"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstandard archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x04\x22\x4d\x18", "an lz4 archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x78\x9c", "a compressed joblib or pickle file"),
    (b"\x78\xda", "a compressed joblib or pickle file"),
    (b"\x78\x01", "a compressed joblib or pickle file"),
    (b"\x89HDF", "an HDF5 (Keras) file"),
    (b"\x93NUMPY", "a NumPy array file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
)
# Protocol 0 and 1 pickles are text: an opcode for a global, list or dict mark at the start and a full stop at the end.
_TEXT_PICKLE = re.compile(rb"^(c[A-Za-z_][\w.]*\r?\n[\w.]+\r?\n|\((lp|dp|c[A-Za-z_]|i[A-Za-z_])|[\]}(]q\x00)")


def kind_of(head: bytes, tail: bytes = b"") -> str:
    """Name what the first and last bytes of a file say it is: `parquet`, `text`, or words for anything else.

    Used for tables here and usable for models: pickles are told by content whatever the file is called.
    """
    if head[:2] == b"PK":
        if b"data.pkl" in head or b"/version" in head:
            return "a PyTorch file (a zip with a pickle inside)"
        return "an Excel workbook" if b"xl/" in head or b"[Content_Types].xml" in head else "a zip archive"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a pickle file"
    if _TEXT_PICKLE.match(head) and tail.rstrip(b"\n").endswith(b"."):
        return "a pickle file"
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[257:262] == b"ustar":
        return "a tar archive"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page or XML document"
    if start.startswith((b"{", b"[")):
        return "a JSON document"
    return "text"


def sniff(evidence: EvidenceInput, caps: Caps = CAPS) -> str:
    """Return `parquet` or `csv` for a usable table file, else raise EvidenceProblem with the way out."""
    path = Path(evidence.path)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise EvidenceProblem(
            file=evidence.name, expected="a stored file", found="nothing in the evidence store", way_out="Upload the file again."
        ) from error
    if size == 0:
        raise EvidenceProblem(
            file=evidence.name,
            expected="a table with a header and rows",
            found="an empty file (0 bytes)",
            way_out="Upload it again.",
        )
    if size > caps.file_bytes:
        raise EvidenceProblem(
            file=evidence.name,
            expected=f"at most {bytes_in_words(caps.file_bytes)}",
            found=f"{bytes_in_words(size)} ({size:,} bytes)",
            way_out="Keep only the id, label, prediction, score and attribute columns, save as Parquet, or draw a stated sample.",
        )
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read(TAIL_BYTES)
    found = kind_of(head, tail)
    if found == "parquet" and not tail.endswith(b"PAR1"):
        raise EvidenceProblem(
            file=evidence.name,
            expected="a whole Parquet file",
            found="one that breaks off (its end mark is missing)",
            way_out="Write the file to the end and upload it again.",
        )
    if found not in ("parquet", "text"):
        raise EvidenceProblem(file=evidence.name, expected="a Parquet or CSV table", found=found, way_out=_way_out(found))
    kind = "parquet" if found == "parquet" else "csv"
    declared = evidence.format.lower()
    if declared in ("parquet", "csv", "arrow", "feather") and declared != kind:
        raise EvidenceProblem(
            file=evidence.name,
            expected=f"{declared}, as declared",
            found=kind,
            way_out=f"Declare the format as {kind} or upload the file you meant.",
        )
    return kind


def _way_out(found: str) -> str:
    if found in PICKLES:
        return (
            "Pickle, joblib and PyTorch files can run code when they are opened, so they never are. "
            "Upload predictions and attributions as Parquet or CSV instead."
        )
    if "Arrow" in found:
        return "Arrow IPC files are not read because they are unsafe to parse. Save the same table as Parquet."
    if "archive" in found:
        return "Archives are not unpacked. Upload the table itself as Parquet (already compressed) or CSV."
    if "UTF-16" in found:
        return "Save the file as UTF-8 text."
    return "Save the table as Parquet or as UTF-8 CSV."
