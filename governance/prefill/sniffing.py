"""What a source is by its content: a binary kind with the way out, or text with how it is written."""

from __future__ import annotations

import re

from governance.prefill.limits import MAX_BYTES
from governance.prefill.requirement_lines import looks_like_requirements
from governance.prefill.source import Form, Problem, Source

_PICKLE = re.compile(rb"\x80[\x02-\x05](?:\x95.{8}|[\x28\x5b\x5d\x7d\x63\x71\x58\x8a\x8c\x4b\x4d\x4e\x7d]|$)", re.DOTALL)
_OLD_PICKLE = re.compile(rb"\A\(?[cil]?(?:c|i)[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n")

_WAY_OUT = "Send the metadata file beside it (MLmodel, run JSON, model card, validation result) here."
_BINARY = (
    (b"PAR1", "a Parquet file", "Upload it as evidence (predictions or a data sample)."),
    (b"ARROW1", "an Arrow file", "Upload it as evidence (predictions or a data sample)."),
    (
        b"PK\x03\x04",
        "a zip archive (also .skops, .npz, .pt, .xlsx)",
        "Archives are not opened: unpack it and send the metadata file in it.",
    ),
    (b"PK\x05\x06", "an empty zip archive", "Archives are not opened: send the metadata file itself."),
    (b"\x1f\x8b", "a gzip file", "Unpack it and send the metadata file in it."),
    (b"BZh", "a bzip2 file", "Unpack it and send the metadata file in it."),
    (b"\xfd7zXZ", "an xz file", "Unpack it and send the metadata file in it."),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "Unpack it and send the metadata file in it."),
    (b"\x89HDF", "an HDF5 file (Keras .h5)", "Upload the model as ONNX evidence instead."),
    (b"%PDF", "a PDF", "Upload it as evidence with the role document."),
    (b"\x89PNG", "a picture", "Upload it as evidence with the role document."),
    (b"\x7fELF", "a program", "Programs are not read."),
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\r?\n.*?\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_LOCKED = re.compile(r"^\[\[package\]\][ \t]*\r?$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} +\S", re.MULTILINE)


def decode(data: bytes, source: Source) -> tuple[str, str, Problem | None]:
    """Return (media type, text, problem). The text is empty when there is a problem."""
    for magic, what, way_out in _BINARY:
        if data.startswith(magic):
            return "application/octet-stream", "", source.problem("", f"This is {what}, not metadata text. {way_out} {_WAY_OUT}")
    if _PICKLE.match(data) or _OLD_PICKLE.match(data[:400]):
        detail = (
            "This is a pickle (also joblib, cloudpickle). Reading one runs code, so it is never opened. Save the model as ONNX, "
            f"XGBoost UBJ/JSON, LightGBM text or skops, or upload its predictions. {_WAY_OUT}"
        )
        return "application/octet-stream", "", source.problem("", detail)
    if len(data) > MAX_BYTES:
        detail = (
            f"This file has {len(data):,} bytes; metadata may have {MAX_BYTES:,}. {_WAY_OUT} Data files are uploaded as evidence."
        )
        return "application/octet-stream", "", source.problem("", detail)
    if data.startswith(_UTF16):
        return (
            "application/octet-stream",
            "",
            source.problem("", "This text is in UTF-16; UTF-8 was expected. Save it as UTF-8 and send it again."),
        )
    if b"\x00" in data:
        where = data.index(b"\x00")
        return (
            "application/octet-stream",
            "",
            source.problem(f"byte {where}", f"This is not text: byte {where} is NUL. {_WAY_OUT}"),
        )
    try:
        words = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        detail = f"This text is not UTF-8: byte {exc.start} (0x{data[exc.start]:02x}) does not fit. Save it as UTF-8."
        return "application/octet-stream", "", source.problem(f"byte {exc.start}", detail)
    return "text/plain", words, None


def form_of(name: str, words: str) -> Form:
    """How a text is written, by its content first and its name second."""
    start = words.lstrip()
    ending = name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1].lower()
    if ending.endswith((".md", ".markdown", ".mdx")):
        return Form.CARD
    if ending.endswith(".toml") or (not ending.endswith((".json", ".yaml", ".yml")) and _LOCKED.search(words)):
        return Form.TOML
    if looks_like_requirements(name, words):
        return Form.REQUIREMENTS
    if ending.endswith((".json", ".ipynb")) or start.startswith(("{", "[")):
        return Form.JSON
    if _FRONT_MATTER.match(words) and not ending.endswith((".yaml", ".yml")):
        return Form.CARD
    if not ending.endswith((".yaml", ".yml")) and ending != "mlmodel" and start.startswith("#") and _HEADING.search(words):
        looks_like_yaml = re.search(r"^[\w.-]+:(?:\s|$)", words, re.MULTILINE)
        return Form.YAML if looks_like_yaml else Form.CARD
    return Form.YAML
