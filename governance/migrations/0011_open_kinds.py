"""Kinds are what the packs say (a further one needs no migration); the report of integration tests has a role of its own."""

from __future__ import annotations

from django.db import migrations, models

KIND = models.Q(kind__regex="^[a-z][a-z0-9_]{0,19}$")
ROLES = [
    "candidate_predictions",
    "baseline_predictions",
    "reference_sample",
    "current_sample",
    "candidate_model",
    "baseline_model",
    "explanation_sample",
    "candidate_attributions",
    "baseline_attributions",
    "retrain_attributions",
    "reason_codes",
    "test_report",
    "integration_report",
    "scan_report",
    "bom",
    "data_quality_report",
    "lineage",
    "experiment",
    "cost_report",
    "population",
    "document",
]


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0010_revision_requests"),
    ]

    operations = [
        migrations.AlterField(model_name="system", name="kind", field=models.CharField(max_length=20)),
        migrations.RemoveConstraint(model_name="system", name="system_kind_known"),
        migrations.AddConstraint(
            model_name="system", constraint=models.CheckConstraint(condition=KIND, name="system_kind_known")
        ),
        migrations.RemoveConstraint(model_name="submission", name="submission_kind_known"),
        migrations.AddConstraint(
            model_name="submission", constraint=models.CheckConstraint(condition=KIND, name="submission_kind_known")
        ),
        migrations.RemoveConstraint(model_name="evidence", name="evidence_role_known"),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.CheckConstraint(condition=models.Q(role__in=ROLES), name="evidence_role_known"),
        ),
    ]
