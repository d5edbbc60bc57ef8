"""Small declared documents as evidence (JSON or YAML): read whole under a cap, as plain values, by the readers of metadata files.

Every failure is an EvidenceProblem with the place and the way out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers.caps import bytes_in_words
from gates.readers.content import kind_of
from governance.prefill.safe_json import parse_json
from governance.prefill.safe_yaml import parse_yaml
from governance.prefill.source import Source

MOST_BYTES = 2 * 1024**2


def read_document(evidence: EvidenceInput) -> dict[str, Any]:
    """The document as a mapping of plain values. Raises EvidenceProblem for anything that is not one."""
    words = read_text(evidence)
    source = Source(evidence.name, f"sha256:{evidence.sha256}")
    if words.lstrip()[:1] in ("{", "["):
        value, problems, parsed = parse_json(words, source)
    else:
        value, problems, parsed = parse_yaml(words, source)
    if not parsed or problems:
        said = problems[0] if problems else None
        place = f"{said.locator}: " if said and said.locator else ""
        raise EvidenceProblem(
            file=evidence.name,
            expected="a JSON or YAML document of plain values",
            found=f"{place}{said.detail}" if said else "something else",
            way_out="Mend the place named and upload the file again.",
        )
    if not isinstance(value, dict):
        raise EvidenceProblem(
            file=evidence.name,
            expected="a document with names and values",
            found="a list" if isinstance(value, list) else "a single value",
            way_out="Start from the example on the gate's page.",
        )
    return value


def read_text(evidence: EvidenceInput) -> str:
    """The file as UTF-8 text. Raises EvidenceProblem when it is empty, too large, or no text."""
    path = Path(evidence.path)
    size = path.stat().st_size
    if not size:
        raise EvidenceProblem(
            file=evidence.name, expected="a document", found="an empty file (0 bytes)", way_out="Upload it again."
        )
    if size > MOST_BYTES:
        raise EvidenceProblem(
            file=evidence.name,
            expected=f"at most {bytes_in_words(MOST_BYTES)}",
            found=bytes_in_words(size),
            way_out="Send long lists of samples as CSV or Parquet instead.",
        )
    data = path.read_bytes()
    found = kind_of(data[:4096], data[-8:])
    if found not in ("text", "a JSON document"):
        raise EvidenceProblem(
            file=evidence.name,
            expected="JSON, YAML or CSV text",
            found=found,
            way_out="Write it as text and upload it again.",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EvidenceProblem(
            file=evidence.name,
            expected="UTF-8 text",
            found=f"a byte at position {error.start:,} that is none",
            way_out="Save the file as UTF-8.",
        ) from error
