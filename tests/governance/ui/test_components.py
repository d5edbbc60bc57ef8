"""Components render from plain dictionaries and from objects, and say what they must."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.template import engines
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory

from governance.ui.gallery import gallery
from governance.ui.gallery_samples import GATES, PICTURE, REASONS, WOULD_CHANGE
from tests.stack import ROOT

TEMPLATES = ROOT / "templates"


def words(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def component(name: str, **context: Any) -> str:
    return render_to_string(f"components/_{name}.html", context)


@pytest.mark.parametrize("name", sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html")))
def test_every_template_compiles(name: str) -> None:
    get_template(name)


def test_the_gallery_shows_every_component() -> None:
    request = RequestFactory().get("/_gallery/")
    page = gallery(request).content.decode()
    assert page.startswith("<!doctype html>")
    for picture in ("light", "dark"):
        answer = gallery(RequestFactory().get("/_gallery/", {"drawing": picture}))
        assert answer["Content-Type"] == "image/svg+xml"


def test_a_reason_says_value_limit_source_and_who_can_change_it() -> None:
    text = words(component("reason_list", reasons=REASONS))
    assert "Makes credit decisions (Red track)" in text
    assert "decision.domain is credit" in text
    assert "model.unapproved_features is bureau_score_v2, device_age , limit none" in text
    assert (
        "source: answer" in text and "nobody can change this by editing" in text and "the data scientist can change this" in text
    )
    assert "TR-020" in text and "Learn more" in text


@pytest.mark.parametrize("kind", ["dict", "object"])
def test_what_would_change_reads_if_and_changes(kind: str) -> None:
    ways: list[Any] = WOULD_CHANGE
    if kind == "object":
        ways = [SimpleNamespace(to=way["to"], possible=way["possible"], changes=way["if"]) for way in WOULD_CHANGE]
    text = words(component("would_change", would_change=ways))
    assert "It would be Yellow track only if all of this held" in text
    assert "it made no credit decisions (nobody can change this)" in text


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate["code"])
def test_a_gate_card_repeats_what_the_verdict_says(gate: dict[str, Any]) -> None:
    text = words(component("gate_card", gate=gate))
    assert gate["code"] in text and engines["django"].from_string("{{ x }}").render({"x": gate["says"]}) in text
    assert ("blocking" in text) is gate["blocking"]
    assert ("Limit " + "&gt;=" in text) is ("limit" in gate)
    assert "Observed None" not in text and "None" not in text


def test_a_gate_without_a_number_shows_none() -> None:
    assert "Observed" not in component(
        "gate_card", gate={"code": "GX101", "name": "x", "verdict": "not_assessed", "says": "No model."}
    )
    assert "Observed" in component(
        "gate_card", gate={"code": "GX101", "name": "x", "verdict": "pass", "says": "y", "observed": 0.0}
    )


def test_a_picture_has_words_a_table_and_both_themes() -> None:
    markup = component("picture", picture=PICTURE)
    assert markup.count(f'alt="{PICTURE["title"]}. {PICTURE["description"]}"') == 2
    assert markup.count("<tr>") == 1 + len(PICTURE["rows"])
    assert "picture-has-dark" in markup
    assert "picture-has-dark" not in component("picture", picture={**PICTURE, "dark": ""})


def test_only_the_open_step_is_the_current_one() -> None:
    steps = [{"role": "analyst", "state": "done", "decision": "approve", "by": "Amir"}, {"role": "risk_officer", "state": "open"}]
    markup = component("steps", steps=steps)
    assert markup.count('aria-current="step"') == 1
    assert "Overdue" not in markup
    late = component("steps", steps=[{"role": "legal", "state": "open", "due_at": "2020-01-01T00:00:00Z"}])
    assert "Overdue" in late and "late" in late


def test_a_blocked_task_cannot_be_opened() -> None:
    task = {"title": "Submit", "href": "/x", "hint": "First the evidence", "state": "blocked"}
    assert "<a " not in component("task_list", tasks=[task])
    assert "<a " in component("task_list", tasks=[{**task, "state": "todo"}])


def test_an_unavailable_action_says_why_and_has_no_button() -> None:
    markup = component(
        "action_buttons", actions=[{"label": "Approve", "available": False, "why_not": "You submitted this version."}]
    )
    assert "You submitted this version." in markup and "<a " not in markup


def test_a_digest_is_short_but_whole_when_copied() -> None:
    digest = "sha256:" + "0123456789abcdef" * 4
    markup = component("digest", digest=digest)
    assert "<code title=" in markup and ">0123456789ab</code>" in markup
    assert f'data-copy="{digest}"' in markup


@pytest.mark.parametrize("name", ["error_summary", "digest", "pagination", "provenance_chip", "messages"])
def test_nothing_to_show_is_nothing(name: str) -> None:
    assert component(name).strip() == ""


HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>'


@pytest.mark.parametrize(
    ("name", "context"),
    [
        (
            "reason_list",
            {"reasons": [{"says": HOSTILE, "fact": HOSTILE, "value": [HOSTILE], "source": HOSTILE, "rule": HOSTILE}]},
        ),
        ("would_change", {"would_change": [{"to": HOSTILE, "if": [{"change": HOSTILE, "by": HOSTILE}]}]}),
        ("gate_card", {"gate": {"code": HOSTILE, "name": HOSTILE, "says": HOSTILE, "fix": HOSTILE, "notes": [HOSTILE]}}),
        ("finding", {"finding": {"id": HOSTILE, "says": HOSTILE, "fix": HOSTILE, "owner": HOSTILE, "state": HOSTILE}}),
        ("summary_list", {"rows": [{"label": HOSTILE, "value": {HOSTILE: HOSTILE}, "error": HOSTILE}]}),
        ("timeline", {"events": [{"says": HOSTILE, "who": HOSTILE, "comment": HOSTILE}]}),
        ("diff", {"changes": [{"label": HOSTILE, "before": HOSTILE, "after": [HOSTILE]}]}),
        ("provenance_chip", {"provenance": {"kind": "edited", "origin": HOSTILE, "locator": HOSTILE, "reason": HOSTILE}}),
        ("steps", {"steps": [{"role": HOSTILE, "state": "done", "by": HOSTILE, "comment": HOSTILE}]}),
        (
            "picture",
            {"picture": {"title": HOSTILE, "description": HOSTILE, "rows": [[HOSTILE]], "columns": [HOSTILE], "note": HOSTILE}},
        ),
        ("digest", {"digest": HOSTILE}),
    ],
)
def test_hostile_text_stays_text(name: str, context: dict[str, Any]) -> None:
    markup = component(name, **context)
    assert "<script" not in markup and "<img src=x" not in markup
    assert "&lt;script" in markup or "&lt;img" in markup
