"""Deployments of GitHub and GitLab that wait for a permit, with fences: what was asked and what was said stays as it was."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FENCES = """
CREATE TRIGGER deployment_gate_frozen BEFORE UPDATE ON reviews_deploymentgate FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('ended_at', 'asked_at', 'problem');
CREATE TRIGGER deployment_gate_no_delete BEFORE DELETE ON reviews_deploymentgate FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deployment_request_frozen BEFORE UPDATE ON reviews_deploymentrequest FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('state', 'submission_id', 'told');
CREATE TRIGGER deployment_request_no_delete BEFORE DELETE ON reviews_deploymentrequest FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deployment_report_frozen BEFORE UPDATE ON reviews_deploymentreport FOR EACH ROW
    EXECUTE FUNCTION reviews_only_these_change('state', 'sent_at', 'attempts', 'not_before', 'problem');
CREATE TRIGGER deployment_report_no_delete BEFORE DELETE ON reviews_deploymentreport FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE reviews_deploymentgate ENABLE ALWAYS TRIGGER deployment_gate_frozen;
ALTER TABLE reviews_deploymentgate ENABLE ALWAYS TRIGGER deployment_gate_no_delete;
ALTER TABLE reviews_deploymentrequest ENABLE ALWAYS TRIGGER deployment_request_frozen;
ALTER TABLE reviews_deploymentrequest ENABLE ALWAYS TRIGGER deployment_request_no_delete;
ALTER TABLE reviews_deploymentreport ENABLE ALWAYS TRIGGER deployment_report_frozen;
ALTER TABLE reviews_deploymentreport ENABLE ALWAYS TRIGGER deployment_report_no_delete;
"""
NO_FENCES = """
DROP TRIGGER deployment_report_no_delete ON reviews_deploymentreport;
DROP TRIGGER deployment_report_frozen ON reviews_deploymentreport;
DROP TRIGGER deployment_request_no_delete ON reviews_deploymentrequest;
DROP TRIGGER deployment_request_frozen ON reviews_deploymentrequest;
DROP TRIGGER deployment_gate_no_delete ON reviews_deploymentgate;
DROP TRIGGER deployment_gate_frozen ON reviews_deploymentgate;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0018_repeated_calls"),
        ("reviews", "0018_learning"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DeploymentGate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=8)),
                ("project", models.CharField(max_length=20)),
                ("installation", models.CharField(blank=True, help_text="of the app on GitHub; empty for GitLab", max_length=20)),
                ("environment_there", models.CharField(max_length=255)),
                ("environment", models.CharField(max_length=40)),
                (
                    "exposure",
                    models.PositiveSmallIntegerField(
                        default=100, help_text="percent of traffic or people a deployment there reaches"
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_at",
                    models.DateTimeField(blank=True, help_text="when GitLab was last asked for waiting deployments", null=True),
                ),
                ("problem", models.CharField(blank=True, help_text="why it could not be", max_length=300)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "system",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="deployment_gates", to="governance.system"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="deployment_gates", to="governance.unit"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DeploymentRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("delivery", models.CharField(blank=True, help_text="GitHub's id of the message: taken once", max_length=64)),
                ("deployment", models.CharField(max_length=20)),
                (
                    "callback",
                    models.CharField(blank=True, help_text="path below GitHub's API that takes the answer", max_length=300),
                ),
                ("commit", models.CharField(max_length=64)),
                ("ref", models.CharField(blank=True, max_length=255)),
                ("received_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("state", models.CharField(default="waiting", max_length=8)),
                (
                    "told",
                    models.CharField(blank=True, help_text="what was last reported: nothing is reported twice", max_length=60),
                ),
                (
                    "gate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="requests", to="reviews.deploymentgate"
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deployment_requests",
                        to="governance.submission",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DeploymentReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=8)),
                ("says", models.CharField(max_length=1100)),
                ("state", models.CharField(default="due", max_length=8)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("not_before", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("problem", models.CharField(blank=True, help_text="why it was not delivered", max_length=300)),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reports", to="reviews.deploymentrequest"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="deploymentgate",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("provider", "project", "environment_there"),
                name="deployment_gate_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="deploymentgate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("provider", "github"), models.Q(("installation", ""), _negated=True)),
                    models.Q(("installation", ""), ("provider", "gitlab")),
                    _connector="OR",
                ),
                name="deployment_gate_provider_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="deploymentgate",
            constraint=models.CheckConstraint(
                condition=models.Q(("exposure__gte", 1), ("exposure__lte", 100)), name="deployment_gate_exposure_is_percent"
            ),
        ),
        migrations.AddIndex(
            model_name="deploymentrequest",
            index=models.Index(condition=models.Q(("state", "waiting")), fields=["id"], name="deployment_request_waiting"),
        ),
        migrations.AddConstraint(
            model_name="deploymentrequest",
            constraint=models.UniqueConstraint(fields=("gate", "deployment"), name="deployment_request_once"),
        ),
        migrations.AddConstraint(
            model_name="deploymentrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("delivery", ""), _negated=True), fields=("delivery",), name="deployment_delivery_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="deploymentrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "approved", "rejected", "over"])),
                name="deployment_request_state_known",
            ),
        ),
        migrations.AddIndex(
            model_name="deploymentreport",
            index=models.Index(condition=models.Q(("state", "due")), fields=["not_before"], name="deployment_report_due"),
        ),
        migrations.AddConstraint(
            model_name="deploymentreport",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["comment", "approve", "reject"])), name="deployment_report_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="deploymentreport",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["due", "sent", "dropped", "failed"])), name="deployment_report_state_known"
            ),
        ),
        migrations.RunSQL(FENCES, NO_FENCES),
    ]
