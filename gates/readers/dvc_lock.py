"""`dvc.lock`: the stages of a pipeline with the files they read and wrote, by digest. It keeps no times and no run states.

What a stage writes and another reads is inside the pipeline: inputs are what no stage writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers.documents import read_document
from gates.readers.json_report import mapping_of, rows_of, words_of
from gates.readers.openlineage import Lineage

WAY_OUT = "Upload the dvc.lock beside dvc.yaml (schema 2.0), written by `dvc repro`."


def looks_like(words: str) -> bool:
    """Whether a text is a lock file: told by its first lines."""
    head = words[:4_000]
    return "stages:" in head and ("schema:" in head or "deps:" in head or "outs:" in head)


def read(evidence: EvidenceInput) -> Lineage:
    """Read a file or raise EvidenceProblem."""
    stages = stages_of(read_document(evidence))
    if not stages:
        raise EvidenceProblem(file=evidence.name, expected="a dvc.lock with “stages”", found="another document", way_out=WAY_OUT)
    return from_stages(stages)


def stages_of(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The stages by name; empty for another document."""
    stages = mapping_of(document, "stages")
    return {
        str(name): stage for name, stage in stages.items() if isinstance(stage, Mapping) and ("deps" in stage or "outs" in stage)
    }


def from_stages(stages: Mapping[str, Mapping[str, Any]]) -> Lineage:
    """Inputs, outputs and digests of a lock file."""
    told = Lineage()
    read_paths: list[str] = []
    for name, stage in list(stages.items())[:10_000]:
        told.jobs.append(words_of(name, 120))
        for side, paths in (("deps", read_paths), ("outs", told.outputs)):
            for row in rows_of(stage, side):
                path = words_of(row.get("path"), 300)
                if path and path not in paths:
                    paths.append(path)
                if path and (digest := _digest(row)):
                    told.digests[path] = digest
    code = (".py", ".sh", ".ipynb", ".r", ".sql", ".yaml", ".yml", ".toml")
    told.inputs = [path for path in read_paths if path not in told.outputs and not path.lower().endswith(code)]
    return told


def _digest(row: Mapping[str, Any]) -> str:
    kind = words_of(row.get("hash"), 20) or ("md5" if "md5" in row else "etag" if "etag" in row else "")
    value = words_of(row.get(kind), 100) if kind else ""
    return f"{kind}:{value}" if value else ""
