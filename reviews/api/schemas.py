"""Shapes of answers, for the OpenAPI document. The content comes from the selectors; nothing is validated here."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class ReasonShape(serializers.Serializer[Any]):
    rule = serializers.CharField()
    track = serializers.CharField()
    says = serializers.CharField()
    fact = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]
    editable_by = serializers.CharField()
    learn = serializers.CharField()
    limit = serializers.CharField()


class StepShape(serializers.Serializer[Any]):
    role = serializers.CharField()
    state = serializers.CharField()
    by = serializers.CharField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)


class GateShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    verdict = serializers.CharField()
    blocking = serializers.BooleanField()
    observed = serializers.FloatField(allow_null=True)
    interval = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    limit = serializers.CharField()
    n = serializers.IntegerField(allow_null=True)
    says = serializers.CharField()
    fix = serializers.CharField()
    learn = serializers.CharField()
    waived = serializers.JSONField(allow_null=True)


class FindingShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    severity = serializers.CharField()
    says = serializers.CharField()
    fix = serializers.CharField()
    about = serializers.CharField()
    state = serializers.CharField()


class MissingQuestionShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    ask = serializers.CharField()
    why = serializers.CharField()


class OfferedAnswerShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    ask = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    origin = serializers.CharField()
    locator = serializers.CharField()


class QuestionsShape(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    prefilled = serializers.IntegerField()
    answered = serializers.IntegerField()
    missing = MissingQuestionShape(many=True)
    offered = OfferedAnswerShape(many=True)


class MissingEvidenceShape(serializers.Serializer[Any]):
    role = serializers.CharField()
    why = serializers.CharField()


class PolicyShape(serializers.Serializer[Any]):
    pack = serializers.CharField()
    version = serializers.CharField()
    digest = serializers.CharField()


class VerdictShape(serializers.Serializer[Any]):
    """`guiderail/verdict/1`."""

    schema = serializers.CharField()
    submission = serializers.CharField(allow_null=True)
    url = serializers.CharField(allow_null=True)
    system = serializers.CharField()
    version = serializers.CharField()
    environment = serializers.CharField()
    state = serializers.CharField()
    final = serializers.BooleanField()
    turn = serializers.ListField(child=serializers.CharField())
    due_at = serializers.DateTimeField(allow_null=True)
    reason_code = serializers.CharField()
    says = serializers.CharField()
    next_step = serializers.CharField()
    track = serializers.CharField()
    track_is_final = serializers.BooleanField()
    track_says = serializers.CharField()
    reasons = ReasonShape(many=True)
    would_change = serializers.ListField(child=serializers.DictField())
    steps = StepShape(many=True)
    gates = GateShape(many=True)
    findings = FindingShape(many=True)
    change_items = serializers.ListField(child=serializers.DictField())
    questions = QuestionsShape()
    missing_evidence = MissingEvidenceShape(many=True)
    source_problems = serializers.ListField(child=serializers.DictField())
    policy = PolicyShape(allow_null=True)
    dossier_digest = serializers.CharField(allow_null=True)
    permit = serializers.DictField(allow_null=True)
    exit_code = serializers.IntegerField()


class GatePreviewShape(serializers.Serializer[Any]):
    preview = serializers.UUIDField()
    status = serializers.CharField()
    url = serializers.CharField()
    expires_at = serializers.DateTimeField()


class RowShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    submission = serializers.CharField()
    system = serializers.CharField()
    version = serializers.CharField()
    environment = serializers.CharField()
    kind = serializers.CharField()
    track = serializers.CharField()
    track_is_final = serializers.BooleanField()
    state = serializers.CharField()
    turn = serializers.CharField()
    turn_since = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    overdue = serializers.BooleanField()
    submitter = serializers.CharField()
    revision = serializers.IntegerField()


class SubmissionListShape(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = RowShape(many=True)


class SignatureShape(serializers.Serializer[Any]):
    keyid = serializers.CharField()
    sig = serializers.CharField(help_text="base64")


class EnvelopeShape(serializers.Serializer[Any]):
    """DSSE v1."""

    payloadType = serializers.CharField()
    payload = serializers.CharField(help_text="base64 of the statement")
    signatures = SignatureShape(many=True)


class PermitAnswerShape(serializers.Serializer[Any]):
    allowed = serializers.BooleanField()
    permit = serializers.CharField(allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField(allow_null=True)
    submission = serializers.CharField(allow_null=True)
    url = serializers.CharField(allow_null=True)
    verdict = serializers.CharField()
    exposure = serializers.IntegerField(allow_null=True)


class ProblemShape(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]


class SourceIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200)
    content = serializers.CharField(required=False)
    sha256 = serializers.CharField(required=False)


class EvidenceIn(serializers.Serializer[Any]):
    role = serializers.CharField()
    sha256 = serializers.CharField()
    columns = serializers.DictField(required=False)
    format = serializers.CharField(required=False)


class SubmissionIn(serializers.Serializer[Any]):
    system = serializers.SlugField(max_length=100)
    kind = serializers.RegexField(
        r"^[a-z][a-z0-9_]{0,19}$", required=False, help_text="ml_model, application, data_pipeline, or a kind your packs bring"
    )
    version = serializers.CharField(max_length=200)
    environment = serializers.CharField(max_length=40, required=False)
    sources = SourceIn(many=True, required=False)
    answers = serializers.DictField(required=False)
    evidence = EvidenceIn(many=True, required=False)
    carry_over = serializers.ListField(child=serializers.CharField(), required=False)
    draft = serializers.BooleanField(required=False)
    gates = serializers.BooleanField(required=False)


class AnswersIn(serializers.Serializer[Any]):
    answers = serializers.DictField(required=False)
    carry_over = serializers.ListField(child=serializers.CharField(), required=False)


class ReviseIn(serializers.Serializer[Any]):
    note = serializers.CharField(required=False)
    replies = serializers.DictField(child=serializers.CharField(), required=False)
    sources = SourceIn(many=True, required=False)
    answers = serializers.DictField(required=False)
    evidence = EvidenceIn(many=True, required=False)
    carry_over = serializers.ListField(child=serializers.CharField(), required=False)


class WithdrawIn(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False)


class ConditionIn(serializers.Serializer[Any]):
    text = serializers.CharField()
    owner = serializers.IntegerField()
    due_on = serializers.DateField()
    if_missed = serializers.CharField(required=False)


class ChangeItemIn(serializers.Serializer[Any]):
    asks = serializers.CharField()
    good_enough = serializers.CharField()
    about_gate = serializers.CharField(required=False)
    about_question = serializers.CharField(required=False)


class CheckIn(serializers.Serializer[Any]):
    answer = serializers.ChoiceField(["yes", "no", "not_applicable"])
    note = serializers.CharField(required=False)


class DecisionIn(serializers.Serializer[Any]):
    dossier_digest = serializers.CharField()
    decision = serializers.ChoiceField(["approve", "approve_with_conditions", "request_changes", "reject"])
    comment = serializers.CharField(required=False)
    readings = serializers.DictField(child=serializers.CharField(), required=False)
    conditions = ConditionIn(many=True, required=False)
    change_items = ChangeItemIn(many=True, required=False)
    rationale = serializers.CharField(required=False)
    alternatives = serializers.CharField(required=False)
    checks = serializers.DictField(child=CheckIn(), required=False)
    residual_risk = serializers.CharField(required=False)
    residual_level = serializers.ChoiceField(["", "low", "medium", "high", "critical"], required=False)
    residual_plan = serializers.CharField(required=False)
    residual_review_on = serializers.DateField(required=False, allow_null=True)
    accepted_instead = serializers.CharField(required=False)
