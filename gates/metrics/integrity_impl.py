"""Digests of the bytes as they are now, against the store's, the declared ones, the champion's and those of other versions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gates.collecting import Collected, EvidenceInput, Inputs, Picture
from gates.metrics.lineage import EMPTY_DIGESTS, LOCAL, moment
from gates.spec import Measure

BLOCK = 1 << 20
_PAIRS = (
    ("candidate_model", "baseline_model", "model"),
    ("candidate_predictions", "baseline_predictions", "predictions"),
    ("candidate_attributions", "baseline_attributions", "attributions"),
)
_HEX = re.compile(r"^[0-9a-f]{8,128}$")
# how long a hexadecimal digest of each kind is; shorter ones are cut off, as MLflow does with its own
_KINDS = {64: "sha256", 40: "sha1", 32: "md5", 128: "sha512"}


def measure(inputs: Inputs) -> Collected:
    """`integrity.files` and the counts of what is wrong, each with names; declared facts are compared without any file too."""
    found = {role: digests_of(evidence) for role, evidence in sorted(inputs.evidence.items())}
    facts, known = inputs.facts, inputs.settings.get("known_versions")
    known = known if isinstance(known, Mapping) else {}
    declared = list(_declared(inputs))
    if not found and not declared:
        return Collected(not_measured="No file is handed in and no digest is declared, so nothing can be compared.")
    changed = [e.name for role, e in inputs.evidence.items() if e.sha256 and found[role]["sha256"] != e.sha256]
    wrong, missing, compared = _compared(declared, inputs, found)
    measures = [
        Measure(
            "integrity.files", float(len(found)), n=len(found), text=", ".join(e.name for e in inputs.evidence.values())[:500]
        ),
        Measure("integrity.changed", float(len(changed)), n=len(found), text=", ".join(changed[:20])),
        Measure("integrity.declared", float(len(declared)), n=len(declared)),
        Measure("integrity.compared", float(compared), n=len(declared)),
        Measure("integrity.mismatched", float(len(wrong)), n=len(declared), text="; ".join(wrong[:10])),
        Measure("integrity.declared_without_file", float(len(missing)), text=", ".join(missing[:20])),
        _counted("integrity.empty", _empty(inputs, found, declared)),
        _counted("integrity.same_as_champion", _same_as_champion(inputs, found, known)),
        _counted("integrity.used_twice", _used_twice(inputs, found, known)),
        _counted("integrity.future_dates", _future(facts, inputs.settings.get("as_of"))),
        _counted("integrity.local_paths", _local(facts.get("data.sources"))),
        _signature(facts.get("model.signature_present")),
    ]
    notes = ["SHA-256 of every file was worked out again from its bytes."] if found else []
    weak = [f"{name}: {kind}" for name, value, _ in declared if (kind := _KINDS.get(len(_bare(value)), "")) in ("md5", "sha1")]
    if weak:
        notes.append(f"Declared with a weak hash (use SHA-256): {', '.join(weak[:10])}.")
    return Collected(tuple(measures), (), (_picture(inputs, found, declared),) if found else (), tuple(notes))


def digests_of(evidence: EvidenceInput) -> dict[str, str]:
    """SHA-256, SHA-1 and MD5 of a file's bytes, streamed. Weak ones are only there to compare with what others declared."""
    hashes = {
        "sha256": hashlib.sha256(),
        "sha1": hashlib.sha1(usedforsecurity=False),
        "md5": hashlib.md5(usedforsecurity=False),
        "sha512": hashlib.sha512(),
    }
    with Path(evidence.path).open("rb") as file:
        while block := file.read(BLOCK):
            for each in hashes.values():
                each.update(block)
    return {name: each.hexdigest() for name, each in hashes.items()}


def _counted(metric: str, texts: list[str]) -> Measure:
    return Measure(metric, float(len(texts)), text="; ".join(texts[:10]))


def _declared(inputs: Inputs) -> Iterable[tuple[str, str, str]]:
    """(what was declared, the digest, the role or file name it is about; "" for data that need not be handed in)."""
    stated = inputs.facts.get("evidence.digests")
    for name, value in stated.items() if isinstance(stated, Mapping) else ():
        if isinstance(value, str) and value.strip():
            yield str(name), value, str(name)
    for fact, role in (("model.digest", "candidate_model"), ("training.dataset_digest", ""), ("evaluation.dataset_digest", "")):
        value = inputs.facts.get(fact)
        if isinstance(value, str) and value.strip():
            yield fact, value, role


def _bare(digest: str) -> str:
    return digest.strip().lower().rsplit(":", 1)[-1]


def _compared(
    declared: list[tuple[str, str, str]], inputs: Inputs, found: Mapping[str, Mapping[str, str]]
) -> tuple[list[str], list[str], int]:
    """(declared digests that are not the file's, declared names without a file, how many were compared). Cut-off digests are
    compared as far as they go; those of data that need not be handed in are not."""
    wrong, missing, compared = [], [], 0
    by_name = {evidence.name: role for role, evidence in inputs.evidence.items()}
    for name, value, about in declared:
        role = about if about in found else by_name.get(about)
        if role is None:
            if about and about == name:
                missing.append(name)
            continue
        compared += 1
        bare = _bare(value)
        if not _HEX.match(bare):
            wrong.append(f"{name}: “{value[:40]}” is no digest")
            continue
        kind = _KINDS.get(len(bare))
        actual = found[role]
        same = actual[kind] == bare if kind else any(each.startswith(bare) for each in actual.values())
        if not same:
            wrong.append(f"{name}: {bare[:12]} declared, {actual[kind or 'sha256'][:12]} handed in")
    return wrong, missing, compared


def _empty(inputs: Inputs, found: Mapping[str, Mapping[str, str]], declared: list[tuple[str, str, str]]) -> list[str]:
    files = [inputs.evidence[role].name for role, digests in found.items() if digests["sha256"] in EMPTY_DIGESTS]
    return [*files, *(f"{name} is the digest of an empty file" for name, value, _ in declared if _bare(value) in EMPTY_DIGESTS)]


def _same_as_champion(inputs: Inputs, found: Mapping[str, Mapping[str, str]], known: Mapping[str, Any]) -> list[str]:
    same = [
        f"the {word} of candidate and champion are one file"
        for ours, theirs, word in _PAIRS
        if ours in found and theirs in found and found[ours]["sha256"] == found[theirs]["sha256"]
    ]
    champion = inputs.facts.get("champion.version")
    entry = known.get(str(champion)) if champion else None
    digest = _bare(str(entry.get("digest") or "")) if isinstance(entry, Mapping) else ""
    own = _own(inputs, found)
    if digest and digest == own and not same:
        same.append(f"the artefact is that of the champion {champion}")
    return same


def _own(inputs: Inputs, found: Mapping[str, Mapping[str, str]]) -> str:
    model = found.get("candidate_model")
    return model["sha256"] if model else _bare(str(inputs.facts.get("model.digest") or ""))


def _used_twice(inputs: Inputs, found: Mapping[str, Mapping[str, str]], known: Mapping[str, Any]) -> list[str]:
    """Artefacts and training runs that another version of the system has too."""
    own, run, champion = _own(inputs, found), str(inputs.facts.get("training.run_id") or ""), inputs.facts.get("champion.version")
    texts = []
    for version, entry in known.items():
        if not isinstance(entry, Mapping):
            continue
        if own and version != champion and _bare(str(entry.get("digest") or "")) == own:
            texts.append(f"version {version} has the same artefact")
        if run and str(entry.get("run_id") or "") == run:
            texts.append(f"version {version} names the same training run")
    return texts


def _future(facts: Mapping[str, Any], as_of: Any) -> list[str]:
    now = moment(as_of)
    texts = []
    for name in ("data.snapshot_date", "training.started_at", "training.ended_at"):
        value = moment(facts.get(name))
        if now is not None and value is not None and value.date() > now.date():
            texts.append(f"{name} is {value:%Y-%m-%d}, handed in on {now:%Y-%m-%d}")
    return texts


def _local(sources: Any) -> list[str]:
    names = [str(name).strip() for name in sources] if isinstance(sources, list | tuple) else []
    return [name for name in names if LOCAL.match(name)]


def _signature(present: Any) -> Measure:
    if not isinstance(present, bool):
        why = "Whether the model records its input and output schema is not known."
        return Measure("integrity.signature", None, reason=why)
    return Measure("integrity.signature", 1.0 if present else 0.0)


def _picture(inputs: Inputs, found: Mapping[str, Mapping[str, str]], declared: list[tuple[str, str, str]]) -> Picture:
    sizes = {role: Path(evidence.path).stat().st_size for role, evidence in inputs.evidence.items()}
    values = [{"label": role.replace("_", " "), "size": sizes[role] / 1e6} for role in found]
    spec = {
        "width": 560,
        "data": {"values": values},
        "mark": {"type": "bar", "style": "candidate"},
        "encoding": {
            "y": {"field": "label", "type": "nominal", "sort": None, "title": None},
            "x": {"field": "size", "type": "quantitative", "title": "Megabytes"},
        },
    }
    said = {about: _bare(value)[:12] for _, value, about in declared if about}
    rows = tuple(
        (role.replace("_", " "), e.name, found[role]["sha256"], said.get(role) or said.get(e.name) or "–", sizes[role])
        for role, e in sorted(inputs.evidence.items())
    )
    words = f"{len(found)} files, {sum(sizes.values()) / 1e6:.1f} MB together; the table holds the SHA-256 of each."
    return Picture("integrity", "Files and their digests", words, spec, ("Role", "File", "SHA-256", "Declared", "Bytes"), rows)
