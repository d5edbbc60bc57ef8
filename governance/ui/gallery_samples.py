"""Worked examples for the component page: one case of a lender, in the shape of the verdict document."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from governance.ui.fields import FieldView, Option

_NOW = datetime.now(UTC)

REASONS = [
    {
        "rule": "TR-020",
        "track": "red",
        "says": "makes credit decisions",
        "fact": "decision.domain",
        "value": "credit",
        "source": "answer",
        "editable_by": "nobody",
        "learn": "#learn",
    },
    {
        "rule": "TR-040",
        "track": "red",
        "says": "uses 2 features from an unapproved source",
        "fact": "model.unapproved_features",
        "value": ["bureau_score_v2", "device_age"],
        "limit": "none",
        "source": "file",
        "editable_by": "submitter",
        "learn": "#learn",
    },
    {
        "rule": "TR-030",
        "track": "yellow",
        "says": "ROC AUC changes +6.1 % against 2.2.0",
        "fact": "performance.relative_change",
        "value": 0.061,
        "limit": ">= 0.05",
        "source": "measured",
        "editable_by": "nobody",
        "learn": "#learn",
    },
]

WOULD_CHANGE = [
    {
        "to": "yellow",
        "possible": False,
        "if": [
            {"rule": "TR-020", "change": "it made no credit decisions", "by": "nobody"},
            {"rule": "TR-040", "change": "bureau_score_v2 and device_age came from an approved source", "by": "submitter"},
        ],
    },
    {"to": "green", "possible": False, "if": [{"rule": "TR-030", "change": "the change were under 5 %", "by": "nobody"}]},
]

VERDICT = {
    "track": "red",
    "track_is_final": False,
    "reasons": REASONS,
    "would_change": WOULD_CHANGE,
    "questions": {
        "total": 34,
        "prefilled": 27,
        "answered": 5,
        "missing": [{"id": "business.context"}, {"id": "monitoring.plan"}],
    },
    "missing_evidence": [{"role": "baseline_predictions", "why": "without them nobody can say which decisions flip"}],
}

PICTURE = {
    "id": "picture-selection",
    "title": "Selection rate by age band",
    "description": "The youngest group is selected least often: 41 of 100, against 58 of 100 at 45 to 54.",
    "light": "?drawing=light",
    "dark": "?drawing=dark",
    "columns": ["Age band", "Selection rate", "95 % interval", "Rows"],
    "rows": [
        ["18-24", "0.41", "0.36 to 0.46", "402"],
        ["25-34", "0.50", "0.47 to 0.53", "1 120"],
        ["35-44", "0.55", "0.52 to 0.58", "1 244"],
        ["45-54", "0.58", "0.54 to 0.62", "731"],
    ],
    "csv": "#csv",
    "note": "3 497 rows of candidate_predictions.parquet",
}

GATES = [
    {
        "code": "GF101",
        "name": "selection-rate-ratio",
        "verdict": "fail",
        "blocking": True,
        "observed": 0.71,
        "interval": [0.66, 0.76],
        "limit": ">= 0.80",
        "n": 10000,
        "says": "The lowest group's selection rate is 0.71 of the highest's (95 % interval 0.66 to 0.76), limit 0.80.",
        "fix": "Review bias mitigation strategies: reweigh the training data, or set thresholds per group with legal's consent.",
        "learn": "#learn",
        "group": "age_band=18-24",
        "notes": ["sex=female: 0.93, within the limit."],
        "pictures": [PICTURE],
        "evidence_href": "#evidence",
        "waiver_href": "#waiver",
    },
    {
        "code": "GP101",
        "name": "performance-against-champion",
        "verdict": "pass",
        "blocking": True,
        "observed": 0.014,
        "limit": ">= -0.02",
        "n": 9821,
        "says": "ROC AUC is 1.4 % better than champion 2.2.0.",
        "learn": "#learn",
    },
    {
        "code": "GX101",
        "name": "explanation-stability",
        "verdict": "not_assessed",
        "blocking": True,
        "observed": None,
        "says": "The champion's model file was not given, so its explanations could not be computed.",
        "fix": "Upload baseline_model (XGBoost UBJ) or baseline_attributions (Parquet).",
        "learn": "#learn",
    },
    {
        "code": "GD104",
        "name": "feature-drift",
        "verdict": "running",
        "blocking": False,
        "says": "Measuring 31 features.",
        "learn": "#learn",
    },
]

EXAMPLES: dict[str, Any] = {
    "verdict": VERDICT,
    "picture": PICTURE,
    "gates": GATES,
    "findings": [
        {
            "id": "F-7",
            "severity": "high",
            "says": "Applicants of 18 to 24 are selected 0.71 times as often as those of 45 to 54.",
            "fix": "A ratio of at least 0.80, or a justification signed by legal.",
            "about": "GF101",
            "about_href": "#gate-GF101",
            "state": "open",
            "owner": "Dana Weiss",
            "due_at": _NOW - timedelta(days=2),
        },
        {
            "id": "F-8",
            "severity": "low",
            "says": "The model card names no licence.",
            "about": "GD110",
            "state": "closed",
            "owner": "Dana Weiss",
        },
    ],
    "steps": [
        {
            "role": "analyst",
            "state": "done",
            "decision": "approve_with_conditions",
            "by": "Amir Haddad",
            "decided_at": _NOW - timedelta(hours=5),
            "attests": "effective challenge of data, fairness and explanations",
            "comment": "Good enough with monthly fairness monitoring.",
        },
        {
            "role": "risk_officer",
            "state": "open",
            "since": _NOW - timedelta(hours=5),
            "due_at": _NOW + timedelta(days=2, minutes=1),
            "attests": "acceptance of the residual risk",
            "mine": True,
        },
        {"role": "legal", "state": "open", "since": _NOW - timedelta(days=4), "due_at": _NOW - timedelta(days=1)},
        {"role": "privacy", "state": "waiting"},
        {"role": "platform_engineer", "state": "void", "by": "Pia Lund"},
    ],
    "events": [
        {
            "at": _NOW - timedelta(minutes=12),
            "who": "Amir Haddad",
            "says": "Approved with 1 condition",
            "tone": "green",
            "icon": "check",
            "comment": "Monitor selection rates by age band every month.",
        },
        {
            "at": _NOW - timedelta(hours=3),
            "who": "policy",
            "says": "Track rose from yellow to red",
            "tone": "red",
            "icon": "alert-octagon",
        },
        {
            "at": _NOW - timedelta(days=1),
            "who": "Dana Weiss",
            "says": "Submitted revision 2",
            "tone": "blue",
            "icon": "send",
            "href": "#revision",
        },
        {"at": _NOW - timedelta(days=9), "who": "Dana Weiss", "says": "Draft begun", "icon": "pencil"},
    ],
    "tasks": [
        {"title": "Bring what exists", "href": "#a", "hint": "4 files read", "state": "done"},
        {"title": "Confirm and fill gaps", "href": "#b", "hint": "2 of 34 questions open", "state": "partly"},
        {"title": "Evidence", "href": "#c", "hint": "Candidate predictions are missing", "state": "todo"},
        {"title": "Business context", "href": "#d", "hint": "Optional on the green track", "state": "optional"},
        {"title": "Check your answers and submit", "href": "#e", "hint": "First complete the evidence", "state": "blocked"},
    ],
    "bar": [
        {"label": "Bring files", "href": "#a", "state": "done"},
        {"label": "Confirm", "state": "current"},
        {"label": "Evidence", "state": "todo"},
        {"label": "Check", "state": "todo"},
    ],
    "rows": [
        {
            "label": "What does it decide?",
            "value": "credit",
            "provenance": {
                "kind": "confirmed",
                "origin": "README.md",
                "locator": "tags",
                "by": "Dana Weiss",
                "at": _NOW - timedelta(hours=1),
            },
            "change_href": "#a",
        },
        {
            "label": "Which features are new?",
            "value": ["bureau_score_v2", "device_age"],
            "provenance": {"kind": "prefilled", "origin": "MLmodel", "locator": "signature.inputs"},
            "change_href": "#b",
            "changed": True,
        },
        {
            "label": "People affected a month",
            "value": 12000,
            "provenance": {"kind": "edited", "origin": "run.json", "reason": "the run names the pilot only", "by": "Dana Weiss"},
            "change_href": "#c",
        },
        {"label": "Does the data contain personal data?", "value": None, "provenance": {"kind": "unknown"}, "change_href": "#d"},
        {
            "label": "Business context",
            "value": "",
            "error": "Say in two sentences whom this serves.",
            "change_href": "#e",
            "change_label": "Answer",
        },
    ],
    "facts": [
        {
            "name": "performance.candidate",
            "label": "ROC AUC",
            "conflict": True,
            "statements": [
                {"value": 0.812, "provenance": {"assurance": 4, "origin": "collector performance"}},
                {"value": 0.871, "provenance": {"assurance": 2, "origin": "run.json", "locator": "/metrics/auc"}},
            ],
        },
        {
            "name": "model.framework",
            "label": "Framework",
            "statements": [{"value": "xgboost 3.2", "provenance": {"assurance": 2, "origin": "MLmodel", "locator": "flavors"}}],
        },
    ],
    "changes": [
        {"label": "Decision threshold", "before": 0.5, "after": 0.47, "hint": "model.decision_threshold"},
        {"label": "New features", "before": ["bureau_score_v2", "device_age"], "after": ["bureau_score_v2"]},
        {"label": "Personal data", "before": None, "after": True},
    ],
    "stale": {
        "says": "Dana Weiss replaced candidate_predictions.parquet after you opened this page. Look again, then decide.",
        "since": _NOW - timedelta(minutes=4),
        "changes": [{"label": "candidate_predictions", "before": "3f2a…", "after": "9b1c…"}],
        "href": "#now",
    },
    "actions": [
        {
            "action": "complete_review",
            "label": "Approve",
            "details": "The last required step approves the case.",
            "href": "#x",
            "available": True,
        },
        {
            "action": "request_changes",
            "label": "Request changes",
            "details": "The submitter gets your list.",
            "href": "#y",
            "available": True,
        },
        {
            "action": "reject",
            "label": "Reject",
            "details": "Say what would be accepted.",
            "href": "#z",
            "available": True,
            "danger": True,
        },
        {
            "action": "revoke",
            "label": "Revoke",
            "available": False,
            "why_not": "only an approved case can be revoked.",
        },
    ],
    "page": {"previous": "", "next": "#next", "shown": "25 submissions"},
    "crumbs": [{"label": "Submissions", "href": "#s"}, {"label": "S-1042", "href": "#t"}, {"label": "Review"}],
    "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "roles": ["submitter", "analyst", {"label": "risk officer", "until": _NOW + timedelta(days=3, minutes=1)}],
    "confirm_fields": [
        FieldView(
            "residual_risk",
            "What risk remains, in your words?",
            "textarea",
            hint="Name who may be harmed, how likely it is, and what limits it.",
        )
    ],
    "confirm_hidden": [{"name": "digest", "value": "sha256:9f86d081"}],
}


def questions() -> list[FieldView]:
    """One question of every kind, some with errors."""
    return [
        FieldView(
            "decision.domain",
            "What does the model decide about?",
            "radio",
            options=[
                Option("credit", "Credit", "Lending, limits, arrears"),
                Option("fraud", "Fraud"),
                Option("marketing", "Marketing", "Who sees which offer"),
                Option("other", "Something else"),
            ],
            value="credit",
            why="the domain decides how much review a person's interests need.",
            learn="#learn",
            unknown=True,
            large=True,
            provenance={"kind": "prefilled", "origin": "README.md", "locator": "tags[3]"},
        ),
        FieldView(
            "decision.automated",
            "Is the decision made without a person?",
            "yes_no",
            value=None,
            unknown=True,
            error="Choose yes, no, or “I do not know”.",
            why="automated decisions about customers go to the red track.",
        ),
        FieldView(
            "impact.people_per_month",
            "How many people does it affect in a month?",
            "number",
            value="many",
            suffix="people",
            hint="A rough number is enough, for example 12000.",
            error="Write a whole number, for example 12000. “many” is not a number.",
            unknown=True,
        ),
        FieldView(
            "regulation.regimes",
            "Which regulations apply?",
            "checkboxes",
            options=[Option("eu_ai_act", "EU AI Act"), Option("ecoa", "ECOA"), Option("sr_26_2", "SR 26-2", "Replaces SR 11-7")],
            value=["ecoa"],
            unknown=True,
        ),
        FieldView(
            "rollout.strategy",
            "How is it rolled out?",
            "select",
            options=[Option("", "Choose"), Option("canary", "Canary")],
            unknown=True,
        ),
        FieldView("business.context", "Whom does it serve, and what changes for them?", "textarea", optional=True, rows=3),
        FieldView("data.snapshot_date", "When was the training data taken?", "date", value="2026-10-01"),
        FieldView("files", "Files", "file", multiple=True, hint="MLmodel, run JSON, README.md, GX results: each up to 5 MB."),
        FieldView("agree", "I have checked these answers and they are true to the best of my knowledge", "checkbox"),
    ]


def drawing(*, dark: bool) -> str:
    """A small bar chart with intervals, drawn by hand, in the colours of the theme."""
    ink, bar, line = ("#e3e8ef", "#6ea0f0", "#303a47") if dark else ("#1c2430", "#2f66bd", "#d8dee6")
    bars = [("18-24", 0.41), ("25-34", 0.50), ("35-44", 0.55), ("45-54", 0.58)]
    parts = [
        f'<g><rect x="80" y="{12 + 36 * row}" width="{rate * 600:.0f}" height="22" rx="3" fill="{bar}"/>'
        f'<text x="70" y="{28 + 36 * row}" text-anchor="end" fill="{ink}">{band}</text>'
        f'<text x="{92 + rate * 600:.0f}" y="{28 + 36 * row}" fill="{ink}">{rate:.2f}</text></g>'
        for row, (band, rate) in enumerate(bars)
    ]
    size = 'viewBox="0 0 560 170" width="560" height="170" font-family="system-ui" font-size="13"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    return f'{head}<path d="M80 4v150" stroke="{line}"/>{"".join(parts)}</svg>'
