"""Waivers with signatures and audits, looks back after a release, deployments and the inbox."""

import datetime

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0006_person_unread"),
        ("reviews", "0004_budget_owner"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Waiver",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("revision", models.PositiveIntegerField()),
                ("gate", models.CharField(max_length=10)),
                ("says", models.TextField(help_text="the outcome that is waived, in the gate's words")),
                (
                    "risk",
                    models.TextField(help_text="the business risk the gate guards against, as everybody concerned was shown it"),
                ),
                ("reason", models.TextField()),
                ("compensating_control", models.TextField()),
                ("requested_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField()),
                (
                    "stands_in",
                    models.CharField(help_text="the role that signs where the requester has no manager on record", max_length=32),
                ),
                ("audit_due_on", models.DateField()),
                ("policy_digest", models.CharField(max_length=80)),
                ("granted_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_how", models.CharField(blank=True, max_length=16)),
                ("ended_why", models.CharField(blank=True, max_length=500)),
                (
                    "audit_owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waiver_audits_planned",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="waivers_owned", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="waivers_requested", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="waivers", to="governance.submission"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="waivers", to="governance.unit"),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="WaiverAudit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_on", models.DateField()),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("held", models.BooleanField(help_text="whether the control did what it should", null=True)),
                ("found", models.TextField(blank=True)),
                ("evidence", models.TextField(blank=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="waiver_audits", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="waiver_audits", to="governance.submission"
                    ),
                ),
                (
                    "waiver",
                    models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="audit", to="reviews.waiver"),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="WaiverSignature",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("part", models.CharField(max_length=16)),
                ("signed", models.BooleanField(help_text="False is a refusal")),
                ("meaning", models.TextField(help_text="what the signature means, as shown to the person")),
                ("comment", models.TextField(blank=True)),
                ("reauthenticated_at", models.DateTimeField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="waiver_signatures", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="waiver_signatures", to="governance.submission"
                    ),
                ),
                (
                    "waiver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="signatures", to="reviews.waiver"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Deployment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("system", models.CharField(max_length=100)),
                ("version_name", models.CharField(max_length=100)),
                ("environment", models.CharField(max_length=40)),
                ("artifact_digest", models.CharField(blank=True, max_length=80)),
                ("observed", models.BooleanField(default=False)),
                (
                    "target",
                    models.CharField(
                        blank=True, help_text="cluster, service or endpoint, as the deployer names it", max_length=200
                    ),
                ),
                ("state", models.CharField(default="live", max_length=12)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_why", models.CharField(blank=True, max_length=300)),
                (
                    "unpermitted_since",
                    models.DateTimeField(blank=True, help_text="first seen by the reconcile without a live permit", null=True),
                ),
                (
                    "permit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deployments",
                        to="reviews.permit",
                    ),
                ),
                (
                    "reported_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "rolled_back_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rollbacks",
                        to="reviews.deployment",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="deployments", to="governance.unit"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deployments",
                        to="governance.systemversion",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["unit", "-id"], name="deployment_unit_latest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["live", "replaced", "rolled_back", "gone"])),
                        name="deployment_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("permit__isnull", False), ("version__isnull", False)), ("observed", True), _connector="OR"
                        ),
                        name="deployment_permitted_or_observed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state", "live"), ("ended_at__isnull", False), _connector="OR"),
                        name="ended_deployment_says_when",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "live")),
                        fields=("unit", "system", "environment", "target"),
                        name="one_live_deployment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Evaluation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("looks_at", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("due_on", models.DateField()),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("result", models.CharField(blank=True, max_length=16)),
                ("found", models.TextField(blank=True)),
                ("evidence", models.TextField(blank=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="evaluations", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "submission",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="evaluation", to="governance.submission"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="evaluations", to="governance.unit"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [
                    models.Index(condition=models.Q(("done_at__isnull", True)), fields=["unit", "due_on"], name="evaluation_open")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at__isnull", True), ("result", "")),
                            models.Q(
                                ("done_at__isnull", False),
                                ("recorded_by__isnull", False),
                                ("result__in", ["as_expected", "worse", "not_released"]),
                                models.Q(("found", ""), _negated=True),
                                models.Q(("evidence", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="done_evaluation_says_what_it_found",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=24)),
                ("key", models.CharField(max_length=120)),
                ("title", models.CharField(max_length=200)),
                ("says", models.TextField(help_text="what happened and what to do next")),
                ("why", models.CharField(help_text="why this person is told", max_length=300)),
                ("path", models.CharField(help_text="where to act, below the public address", max_length=200)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                ("mail", models.CharField(default="no", max_length=8)),
                ("mail_attempts", models.PositiveSmallIntegerField(default=0)),
                ("mail_not_before", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("mailed_at", models.DateTimeField(blank=True, null=True)),
                ("mail_error", models.CharField(blank=True, max_length=300)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notifications", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notifications",
                        to="governance.submission",
                    ),
                ),
                ("unit", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="governance.unit")),
            ],
            options={
                "ordering": ["id"],
                "indexes": [
                    models.Index(fields=["person", "-id"], name="inbox_latest"),
                    models.Index(
                        models.F("mail"), models.F("id"), condition=models.Q(("mail__in", ["due", "daily"])), name="mail_to_send"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("person", "key"), name="told_once"),
                    models.CheckConstraint(
                        condition=models.Q(("mail__in", ["no", "due", "daily", "sent", "failed"])), name="mail_state_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NotificationChoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=24)),
                ("how", models.CharField(max_length=8)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notification_choices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("person", "kind"), name="notification_choice_once"),
                    models.CheckConstraint(
                        condition=models.Q(("how__in", ["now", "daily", "inbox", "off"])), name="notification_choice_known"
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="waiver",
            index=models.Index(fields=["unit", "-id"], name="waiver_unit_latest"),
        ),
        migrations.AddIndex(
            model_name="waiver",
            index=models.Index(condition=models.Q(("ended_at__isnull", True)), fields=["expires_at"], name="waiver_open_by_end"),
        ),
        migrations.AddConstraint(
            model_name="waiver",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expires_at__gt", models.F("requested_at")),
                    (
                        "expires_at__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("requested_at"), "+", models.Value(datetime.timedelta(days=90))
                        ),
                    ),
                ),
                name="waiver_at_most_90_days",
            ),
        ),
        migrations.AddConstraint(
            model_name="waiver",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reason", ""), _negated=True), models.Q(("compensating_control", ""), _negated=True)
                ),
                name="waiver_says_why_and_how",
            ),
        ),
        migrations.AddConstraint(
            model_name="waiver",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("ended_how", "")),
                    models.Q(
                        ("ended_at__isnull", False),
                        (
                            "ended_how__in",
                            ["withdrawn", "refused", "revoked", "closed", "expired", "audit_missed", "audit_failed"],
                        ),
                        models.Q(("ended_why", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="ended_waiver_says_how_and_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="waiver",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("audit_owner", models.F("requested_by")), _negated=True),
                    models.Q(("audit_owner", models.F("owner")), _negated=True),
                ),
                name="waiver_audited_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="waiver",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)), fields=("submission", "gate"), name="one_open_waiver_per_gate"
            ),
        ),
        migrations.AddConstraint(
            model_name="waiveraudit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("done_at__isnull", True), ("held__isnull", True)),
                    models.Q(
                        ("done_at__isnull", False),
                        ("held__isnull", False),
                        ("recorded_by__isnull", False),
                        models.Q(("found", ""), _negated=True),
                        models.Q(("evidence", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="done_audit_says_what_it_found",
            ),
        ),
        migrations.AddConstraint(
            model_name="waiversignature",
            constraint=models.CheckConstraint(
                condition=models.Q(("part__in", ["manager", "risk_officer"])), name="waiver_part_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="waiversignature",
            constraint=models.CheckConstraint(
                condition=models.Q(("signed", True), models.Q(("comment", ""), _negated=True), _connector="OR"),
                name="waiver_refusal_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="waiversignature",
            constraint=models.UniqueConstraint(fields=("waiver", "part"), name="waiver_part_once"),
        ),
        migrations.AddConstraint(
            model_name="waiversignature",
            constraint=models.UniqueConstraint(fields=("waiver", "by"), name="waiver_nobody_signs_twice"),
        ),
    ]
