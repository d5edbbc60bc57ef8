"""In which format the model is stored, told by its content, and whether its digest is the declared one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs
from gates.readers.models_recognise import DECLARED, PICKLE_WORDS, SAFE, WAY_OUT, ModelFormat, recognise
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole

NAME = "serialization"
TITLE = "Checking the model's file format"
VERSION = 1
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (EvidenceRole.CANDIDATE_MODEL,)
USES_FACTS = ("model.serialization", "model.digest")

# Formats that hold data only but are not opened here; declared by their usual names.
DATA_ONLY = frozenset({"safetensors", "pmml", "cbm", "catboost", "gguf", "tflite", "h2o-mojo", "mojo", "coreml"})


def collect(inputs: Inputs) -> Collected:
    """Measure `serialization.safe` (1 data only, 0 can run code; text names the format) and `serialization.digest_matches`.

    With a model file its content decides and the declaration is compared with it; without one the declaration is judged.
    """
    declared = inputs.facts.get("model.serialization")
    # readers write "xgboost-ubj", people "XGBoost UBJ": one spelling here
    words = re.sub(r"[\s-]+", "_", str(declared).strip().lower()) if declared else ""
    evidence = inputs.evidence.get("candidate_model")
    if evidence is None:
        if not words:
            return Collected(
                not_measured="Neither a model file nor its format is known: attach the model or answer model.serialization."
            )
        return Collected(measures=(_declared(words),), notes=("No model file is attached: the declared format was judged.",))
    return Collected(measures=tuple(_by_content(evidence, words, inputs.facts.get("model.digest"))), notes=(WAY_OUT,))


def _declared(words: str) -> Measure:
    if words in PICKLE_WORDS:
        return Measure("serialization.safe", 0.0, text=f"{words} (declared)")
    if words in DATA_ONLY or DECLARED.get(words, frozenset()) & SAFE:
        return Measure("serialization.safe", 1.0, text=f"{words} (declared)")
    return Measure(
        "serialization.safe",
        None,
        reason=f"“{words[:40]}” is no format this check knows: attach the model file, its content decides.",
    )


def _by_content(evidence: EvidenceInput, words: str, digest: Any) -> Iterable[Measure]:
    try:
        found = recognise(evidence.path)
    except OSError as error:
        raise EvidenceProblem(
            file=evidence.name, expected="a stored file", found="nothing in the evidence store", way_out="Upload the file again."
        ) from error
    label = f"{found.format.label} ({found.detail})"
    if found.format in (ModelFormat.UNKNOWN, ModelFormat.EMPTY, ModelFormat.ARCHIVE):
        yield Measure(
            "serialization.safe",
            None,
            text=label,
            reason=f"{evidence.name} is of {label}: it cannot be told whether it runs code when opened.",
        )
    else:
        yield Measure("serialization.safe", 1.0 if found.format.can_open else 0.0, text=label)
    for source, said in (("the declared answer", words), ("the upload", evidence.format.strip().lower())):
        if said in DECLARED and found.format not in DECLARED[said] and found.format is not ModelFormat.UNKNOWN:
            yield Measure(
                "serialization.mismatch", 1.0, group=f"source={source}", text=f"{source} says {said}, the content is {label}"
            )
    actual = _sha256(evidence.path)
    if evidence.sha256 and _bare(evidence.sha256) != actual:
        yield Measure("serialization.digest_matches", 0.0, text="The stored file does not have the digest it was uploaded with.")
    elif isinstance(digest, str) and len(_bare(digest)) == 64:
        same = _bare(digest) == actual
        text = "" if same else f"Declared {_bare(digest)[:12]}…, the file has {actual[:12]}…: another model was attached."
        yield Measure("serialization.digest_matches", 1.0 if same else 0.0, text=text)


def _bare(digest: str) -> str:
    return digest.strip().lower().rsplit(":", 1)[-1]


def _sha256(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
