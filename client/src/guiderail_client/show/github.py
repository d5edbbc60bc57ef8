"""For GitHub Actions: annotations, the job summary and the step's outputs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guiderail_client.show.text import clean

# GitHub shows ten annotations of a kind for a step; the tenth says how many there are more
MOST = 9


def annotation_lines(verdict: Mapping[str, Any], file: str) -> str:
    """Workflow commands, the worst first: at most nine and a line about the rest."""
    rows = []
    for gate in verdict["gates"]:
        if gate["verdict"] in ("pass", "not_applicable"):
            continue
        stops = gate["blocking"] and gate["verdict"] in ("fail", "not_assessed")
        text = " ".join(filter(None, (clean(gate["says"]), clean(gate["fix"]))))
        rows.append(("error" if stops else "warning", f"{gate['code']} {gate['name']}", text))
    if verdict["exit_code"] == 1 and not any(kind == "error" for kind, _, _ in rows):
        rows.append(("error", "Guiderail", clean(verdict["says"])))
    for question in verdict["questions"]["missing"]:
        rows.append(("warning", f"Unanswered: {question['id']}", clean(question["ask"])))
    for item in verdict["missing_evidence"]:
        rows.append(("warning", f"Missing evidence: {item['role']}", clean(item["why"])))
    rows.sort(key=lambda row: row[0] != "error")
    so_far = "" if verdict["track_is_final"] else " so far"
    head = f"{clean(verdict['track'])} track{so_far}, {clean(verdict['state']).replace('_', ' ')}"
    lines = [_command("notice", file, f"Guiderail: {head}", clean(verdict["track_says"]))]
    lines += [_command(kind, file, title, text) for kind, title, text in rows[:MOST]]
    if len(rows) > MOST:
        where = verdict["url"] or "the job summary"
        lines.append(_command(rows[MOST][0], file, "Guiderail", f"and {len(rows) - MOST} more: {where}"))
    return "\n".join(lines)


def summary(markdown: str) -> None:
    """Append the Markdown to the job's summary, where GitHub runs us."""
    if target := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(target).open("a", encoding="utf-8") as out:
            out.write(markdown + "\n")


def outputs(verdict: Mapping[str, Any]) -> None:
    """The step's outputs: submission, url, state, track, exit_code."""
    if target := os.environ.get("GITHUB_OUTPUT"):
        with Path(target).open("a", encoding="utf-8") as out:
            for name in ("submission", "url", "state", "track", "exit_code"):
                # a delimiter nobody can guess, so that no value can set another output
                mark = f"guiderail-{secrets.token_hex(12)}"
                value = verdict[name] if verdict[name] is not None else ""
                out.write(f"{name}<<{mark}\n{clean(value)}\n{mark}\n")


def _command(kind: str, file: str, title: str, text: str) -> str:
    return f"::{kind} file={_property(file)},line=1,title={_property(clean(title))}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
