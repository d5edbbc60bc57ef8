"""For GitLab's code quality report: one entry per gate that is not passed, with a fingerprint that stays the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from guiderail_client.show.text import clean


def codequality(verdict: Mapping[str, Any], file: str) -> str:
    """The report. The fingerprint is over system, environment and what is wrong, never over version or numbers, so that GitLab
    can tell a new problem from an old one."""
    rows = []
    for gate in verdict["gates"]:
        if gate["verdict"] in ("pass", "not_applicable"):
            continue
        stops = gate["blocking"] and gate["verdict"] in ("fail", "not_assessed")
        rows.append(_row(verdict, file, gate["code"], gate["group"] or "", clean(gate["says"]), "blocker" if stops else "minor"))
    for question in verdict["questions"]["missing"]:
        rows.append(_row(verdict, file, f"question:{question['id']}", "", f"Unanswered: {clean(question['ask'])}", "info"))
    for item in verdict["missing_evidence"]:
        rows.append(_row(verdict, file, f"evidence:{item['role']}", "", f"Missing: {clean(item['why'])}", "major"))
    return json.dumps(rows, ensure_ascii=False, indent=1)


def _row(verdict: Mapping[str, Any], file: str, check: str, group: str, text: str, severity: str) -> dict[str, Any]:
    same = "|".join(("guiderail", verdict["system"], verdict["environment"], check, group))
    return {
        "description": text,
        "check_name": check,
        "fingerprint": hashlib.sha256(same.encode()).hexdigest(),
        "severity": severity,
        "location": {"path": file, "lines": {"begin": 1}},
    }
