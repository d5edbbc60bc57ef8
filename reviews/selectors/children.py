"""The small tables around a submission, read as arrays in one statement that is put together once per process."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from typing import Any, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Model, OuterRef
from django.db.models.functions import JSONObject

from governance.models import Answer, ColumnMark, Contributor, Evidence, EvidenceFile, MetadataSource, Submission
from reviews.models import (
    Attested,
    ChangeItem,
    Condition,
    DeclaredConflict,
    Finding,
    Permit,
    Remark,
    ReviewStep,
    SignOff,
    Thread,
    Waiver,
    WaiverAudit,
    WaiverSignature,
)

M = TypeVar("M", bound=Model)

CHILDREN: dict[str, tuple[type[Model], tuple[str, ...]]] = {
    "answer_rows": (Answer, ("id", "submission_id", "question", "value", "provenance", "replaced", "reason", "by_id", "at")),
    "source_rows": (
        MetadataSource, ("id", "submission_id", "name", "sha256", "reader", "facts", "problems", "added_by_id", "added_at")
    ),
    "contributor_rows": (Contributor, ("id", "person_id", "why")),
    "step_rows": (
        ReviewStep,
        (
            "id", "revision", "order", "stage", "role", "attests", "added_by_rule", "why", "accountable", "consulted", "informed",
            "checklist", "outside_team", "learning", "state", "opened_at", "due_at", "done_at",
        ),
    ),
    "sign_off_rows": (
        SignOff,
        (
            "id", "step_id", "revision", "role", "by_id", "decision", "meaning", "comment", "rationale", "alternatives", "checks",
            "residual_risk", "residual_level", "residual_plan", "residual_review_on", "accepted_instead", "readings",
            "dossier_digest", "policy_digest", "shown_at", "at", "voided_at", "voided_why",
        ),
    ),
    "finding_rows": (
        Finding,
        (
            "id", "revision", "about", "severity", "says", "fix", "remediation", "evidence", "fixed_by_id", "verified_by_id",
            "raised_by_id", "state", "owner_id", "due_on", "opened_at", "closed_at", "closed_why",
        ),
    ),
    "change_item_rows": (
        ChangeItem,
        ("id", "sign_off_id", "about_gate", "about_question", "asks", "good_enough", "reply", "replied_in_revision"),
    ),
    "condition_rows": (Condition, ("id", "text", "owner_id", "due_on", "if_missed", "met_at")),
    "permit_rows": (Permit, ("id", "environment", "exposure", "issued_at", "expires_at", "revoked_at", "revoked_why")),
    "waiver_rows": (
        Waiver,
        (
            "id", "revision", "gate", "says", "risk", "reason", "compensating_control", "owner_id", "requested_by_id",
            "requested_at", "expires_at", "audit_owner_id", "audit_due_on", "granted_at", "ended_at", "ended_how", "ended_why",
        ),
    ),
    "waiver_signature_rows": (
        WaiverSignature, ("id", "waiver_id", "part", "by_id", "signed", "meaning", "comment", "at"),
    ),
    "attested_rows": (
        Attested, ("id", "revision", "what", "item", "subject", "role", "by_id", "yes", "comment", "asked", "at"),
    ),
    "conflict_rows": (DeclaredConflict, ("id", "by_id", "why", "at")),
    "thread_rows": (Thread, ("id", "about_kind", "about", "disposition", "opened_by_id")),
    "remark_rows": (Remark, ("id", "thread_id", "revision", "by_id", "disposition", "text", "published_at")),
    "mark_rows": (ColumnMark, ("id", "by_id")),
    "waiver_audit_rows": (WaiverAudit, ("id", "waiver_id", "owner_id", "due_on", "done_at", "held", "found")),
}  # fmt: skip


_EVIDENCE = ("id", "submission_id", "role", "file_id", "columns", "format", "added_by_id", "added_at")
_FILE = ("id", "unit_id", "sha256", "size", "name", "media_type", "uploaded_by_id", "uploaded_at")


def children_of(submission_id: int) -> dict[str, tuple[Any, ...]]:
    """Model instances by the names of `CHILDREN`, and "evidence_rows" with their files. Empty where there is no such submission.

    One statement. Building it from querysets takes ten times as long as running it, so its text is kept.
    """
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [submission_id])
        found = cursor.fetchone()
    arrays = dict(zip((*CHILDREN, "evidence_rows"), found or (), strict=False))
    rows: dict[str, tuple[Any, ...]] = {
        name: tuple(revived(model, map(json.loads, arrays.get(name) or ()))) for name, (model, _) in CHILDREN.items()
    }
    rows["evidence_rows"] = tuple(_with_files(map(json.loads, arrays.get("evidence_rows") or ())))
    return rows


@functools.cache
def _statement() -> str:
    """The text, with one place for the submission's number."""
    around = {}
    for name, (model, columns) in CHILDREN.items():
        order = "issued_at" if model is Permit else "id"
        rows = model._default_manager.filter(submission=OuterRef("pk")).order_by(order)
        around[name] = ArraySubquery(rows.values(row=JSONObject(**{column: column for column in columns})))
    both = {**{name: name for name in _EVIDENCE}, **{f"file__{name}": f"file__{name}" for name in _FILE}}
    evidence = Evidence.objects.filter(submission=OuterRef("pk")).order_by("id")
    around["evidence_rows"] = ArraySubquery(evidence.values(row=JSONObject(**both)))
    wanted = Submission.objects.order_by().annotate(**around).values_list(*around)
    text, values = wanted.query.sql_with_params()
    composed = str(connection.ops.compose_sql(text, values))  # type: ignore[attr-defined]  # of the PostgreSQL backend
    number = connection.ops.quote_name(Submission._meta.db_table) + "." + connection.ops.quote_name("id")
    return f"{composed.replace('%', '%%')} WHERE {number} = %s"


def revived(model: type[M], rows: Iterable[dict[str, Any]] | None) -> Iterable[M]:
    """Model instances from the arrays: moments and dates come as text and are read back."""
    for row in rows or ():
        yield model(**{name: read(row[name]) for name, read in _reading(model) if name in row})


@functools.cache
def _reading(model: type[Model]) -> tuple[tuple[str, Any], ...]:
    """(attribute, how its value is read back) of each column."""
    return tuple((field.attname, field.to_python) for field in model._meta.concrete_fields)


def _with_files(rows: Iterable[dict[str, Any]]) -> Iterable[Evidence]:
    """Evidence with its files."""
    for row in rows:
        (evidence,) = revived(Evidence, [row])
        (evidence.file,) = revived(EvidenceFile, [{name: row[f"file__{name}"] for name in _FILE}])
        yield evidence
