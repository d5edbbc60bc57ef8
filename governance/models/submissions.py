"""Submissions, their working copy (sources, answers, evidence) and their frozen revisions."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from governance.domain.vocabulary import KIND_NAME, OPEN_STATES, EvidenceRole, Provenance, State, Track
from governance.models.people import Person, Unit
from governance.models.policy import PolicyPack
from governance.models.systems import System, SystemVersion


class Submission(models.Model):
    """A request to deploy one version to one environment.

    The current revision's track, digest and turn stand here, so that lists need no join. Only
    `governance.services.lifecycle.advance` writes `state`.
    """

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="submissions")
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="submissions")
    version = models.ForeignKey(SystemVersion, on_delete=models.PROTECT, related_name="submissions")
    kind = models.CharField(max_length=20)
    environment = models.CharField(max_length=40)
    submitter = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="submissions")
    champion = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="challengers")
    state = models.CharField(max_length=20, default=State.DRAFT)
    revision = models.PositiveIntegerField(default=0, help_text="0 while a draft was never submitted")
    track = models.CharField(max_length=10, blank=True)
    track_is_final = models.BooleanField(default=False)
    policy = models.ForeignKey(PolicyPack, on_delete=models.PROTECT, null=True, blank=True, related_name="submissions")
    dossier_digest = models.CharField(max_length=80, blank=True)
    # whose turn it is: a role value, "submitter", "machine" or ""
    turn = models.CharField(max_length=32, blank=True)
    turn_since = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    # when four fifths of the working time until then are used
    soon_at = models.DateTimeField(null=True, blank=True)
    claimed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="claimed")
    origin = models.CharField(max_length=12, default="form", help_text="form or api")
    idempotency_key = models.CharField(max_length=200, blank=True)
    content_digest = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    submitted_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    search = SearchVectorField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=[s.value for s in State]), name="submission_state_known"),
            models.CheckConstraint(condition=Q(track__in=["", *(t.value for t in Track)]), name="submission_track_known"),
            models.CheckConstraint(condition=Q(kind__regex=f"^{KIND_NAME.pattern}$"), name="submission_kind_known"),
            models.UniqueConstraint(
                fields=["version", "environment"],
                condition=Q(state__in=sorted(s.value for s in OPEN_STATES)),
                name="one_open_submission_per_version_and_environment",
            ),
            models.UniqueConstraint(
                fields=["unit", "idempotency_key"], condition=~Q(idempotency_key=""), name="idempotency_key_unique_in_unit"
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "-id"], name="submission_unit_latest"),
            models.Index(fields=["unit", "turn", "turn_since", "id"], name="submission_queue"),
            models.Index(fields=["unit", "state", "-id"], name="submission_unit_state"),
            models.Index(fields=["unit", "track", "-id"], name="submission_unit_track"),
            models.Index(fields=["submitter", "-id"], name="submission_submitter"),
            models.Index(fields=["turn_since", "id"], name="submission_longest", condition=~Q(turn="")),
            models.Index(fields=["unit", "due_at"], name="submission_unit_waiting", condition=~Q(turn="")),
            models.Index(fields=["system", "due_at"], name="submission_waiting", condition=~Q(turn="")),
            models.Index(fields=["unit", "content_digest"], name="submission_content"),
            GinIndex(fields=["search"], name="submission_search"),
        ]

    @property
    def number(self) -> str:
        """How people name it."""
        return f"S-{self.pk}"

    def __str__(self) -> str:
        return self.number


class Contributor(models.Model):
    """Somebody who may not decide on a submission, and why ("submitted it", "trained it", "uploaded evidence")."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="contributors")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="contributions")
    why = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["submission", "person", "why"], name="contributor_once")]


class MetadataSource(models.Model):
    """One metadata file handed in, as it was. Facts are read from it again whenever they are needed."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="sources")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    reader = models.CharField(max_length=60, blank=True)
    facts = models.JSONField(default=list)
    problems = models.JSONField(default=list)
    added_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["submission", "name"], name="source_name_once")]
        ordering = ["id"]


class Answer(models.Model):
    """What a person said to a question. `value` None means "I do not know"."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="answers")
    question = models.CharField(max_length=100)
    value = models.JSONField(null=True)
    provenance = models.CharField(max_length=16)
    replaced = models.JSONField(null=True, help_text="the prefilled value that was corrected")
    reason = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["submission", "question"], name="answer_once"),
            models.CheckConstraint(condition=Q(provenance__in=[p.value for p in Provenance]), name="answer_provenance_known"),
            models.CheckConstraint(condition=~Q(provenance=Provenance.EDITED) | ~Q(reason=""), name="edited_answer_has_reason"),
        ]
        ordering = ["id"]


class EvidenceFile(models.Model):
    """A stored file, by content. The bytes lie in the evidence store under their sha256."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="evidence_files")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=120)
    uploaded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["unit", "sha256"], name="evidence_once_in_unit")]


class Evidence(models.Model):
    """A file in a role, for one submission."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="evidence")
    role = models.CharField(max_length=32)
    file = models.ForeignKey(EvidenceFile, on_delete=models.PROTECT, related_name="uses")
    columns = models.JSONField(default=dict)
    format = models.CharField(max_length=40, blank=True)
    added_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["submission", "role"], name="evidence_role_once"),
            models.CheckConstraint(condition=Q(role__in=[r.value for r in EvidenceRole]), name="evidence_role_known"),
        ]
        ordering = ["id"]


class Revision(models.Model):
    """What was handed in at one time, frozen: facts, answers, evidence digests. Append-only."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    facts = models.JSONField()
    answers = models.JSONField()
    evidence = models.JSONField()
    sources = models.JSONField()
    artifact_digest = models.CharField(
        max_length=80, blank=True, default="", db_default="", db_index=True, help_text="the build handed in, where it is known"
    )
    request_key = models.CharField(max_length=200, blank=True, default="", db_default="", help_text="the Idempotency-Key sent")
    request_digest = models.CharField(max_length=80, blank=True, default="", db_default="", help_text="of what was sent with it")
    note = models.TextField(blank=True)
    submitted_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["submission", "number"], name="revision_once"),
            models.UniqueConstraint(
                fields=["submission", "request_key"], condition=~Q(request_key=""), name="revision_request_once"
            ),
        ]
        ordering = ["number"]


class TrackDecision(models.Model):
    """A track assigned to a revision, with everything needed to replay it. Append-only.

    `facts` are those the rules read (measured ones included), `pending` the names still to be measured, `assessment` the
    stored answer.
    """

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="track_decisions")
    revision = models.PositiveIntegerField()
    final = models.BooleanField()
    track = models.CharField(max_length=10)
    policy = models.ForeignKey(PolicyPack, on_delete=models.PROTECT, related_name="track_decisions")
    facts = models.JSONField()
    pending = models.JSONField(default=list)
    assessment = models.JSONField()
    would_change = models.JSONField(default=list)
    envelope = models.JSONField(null=True, blank=True, help_text="terms of the change envelope it was judged under")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["submission", "-id"], name="track_decision_latest")]
        ordering = ["id"]
