"""What the registers say of a source's purposes and end, populations to compare with, and the data steward's marks on columns.

Marks are append-only and fenced like sign-offs: whoever handed the version in or worked on it does not clear its personal data.
"""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FENCES = r"""
CREATE FUNCTION governance_column_mark_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sub governance_submission%ROWTYPE;
BEGIN
    SELECT * INTO STRICT sub FROM governance_submission WHERE id = NEW.submission_id;
    IF sub.system_id <> NEW.system_id THEN
        RAISE EXCEPTION 'The mark does not belong to this system.' USING ERRCODE = '23G02';
    END IF;
    IF NEW.by_id = sub.submitter_id THEN
        RAISE EXCEPTION 'You submitted this version, so somebody else judges its columns.' USING ERRCODE = '23G01';
    END IF;
    IF EXISTS (SELECT 1 FROM governance_contributor WHERE submission_id = NEW.submission_id AND person_id = NEW.by_id) THEN
        RAISE EXCEPTION 'You contributed to this submission, so somebody else judges its columns.' USING ERRCODE = '23G01';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM governance_rolegrant g JOIN governance_person p ON p.id = g.person_id
        WHERE g.person_id = NEW.by_id AND p.is_active AND g.role IN ('privacy', 'analyst')
          AND (g.unit_id IS NULL OR g.unit_id = sub.unit_id)
          AND g.valid_from <= clock_timestamp() AND (g.valid_until IS NULL OR g.valid_until > clock_timestamp())
    ) THEN
        RAISE EXCEPTION 'Only a data steward or an analyst judges columns.' USING ERRCODE = '23G03';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER column_mark_guard BEFORE INSERT ON governance_columnmark FOR EACH ROW EXECUTE FUNCTION governance_column_mark_guard();
CREATE TRIGGER column_mark_append_only BEFORE UPDATE OR DELETE ON governance_columnmark FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER column_mark_no_truncate BEFORE TRUNCATE ON governance_columnmark FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE governance_columnmark ENABLE ALWAYS TRIGGER column_mark_guard;
ALTER TABLE governance_columnmark ENABLE ALWAYS TRIGGER column_mark_append_only;
ALTER TABLE governance_columnmark ENABLE ALWAYS TRIGGER column_mark_no_truncate;
"""

NO_FENCES = """
DROP TRIGGER column_mark_no_truncate ON governance_columnmark;
DROP TRIGGER column_mark_append_only ON governance_columnmark;
DROP TRIGGER column_mark_guard ON governance_columnmark;
DROP FUNCTION governance_column_mark_guard();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0004_budget_owner"),
    ]

    operations = [
        migrations.CreateModel(
            name="ColumnMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("column", models.CharField(max_length=300)),
                ("kind", models.CharField(max_length=80)),
                (
                    "mark",
                    models.CharField(
                        choices=[
                            ("expected", "expected and declared"),
                            ("hashed", "hashed or tokenised"),
                            ("wrong", "a false alarm"),
                            ("remove", "must be removed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(max_length=500)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="ReferencePopulation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("shares", models.JSONField()),
                ("source", models.CharField(help_text="a census, a customer register, with its year", max_length=300)),
                ("counted_on", models.DateField(blank=True, null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="evidence",
            name="evidence_role_known",
        ),
        migrations.AddField(
            model_name="datasource",
            name="agreement_ends_on",
            field=models.DateField(blank=True, help_text="the last day on which the data may be used", null=True),
        ),
        migrations.AddField(
            model_name="datasource",
            name="licence",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="datasource",
            name="purposes",
            field=models.JSONField(blank=True, default=list, help_text="decision domains the data may be used for"),
        ),
        migrations.AddField(
            model_name="datasource",
            name="retention_days",
            field=models.PositiveIntegerField(blank=True, help_text="how long a row may be kept", null=True),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        [
                            "candidate_predictions",
                            "baseline_predictions",
                            "reference_sample",
                            "current_sample",
                            "candidate_model",
                            "baseline_model",
                            "explanation_sample",
                            "candidate_attributions",
                            "baseline_attributions",
                            "test_report",
                            "scan_report",
                            "bom",
                            "data_quality_report",
                            "lineage",
                            "experiment",
                            "cost_report",
                            "population",
                            "document",
                        ],
                    )
                ),
                name="evidence_role_known",
            ),
        ),
        migrations.AddField(
            model_name="columnmark",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="column_marks", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="columnmark",
            name="submission",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="column_marks", to="governance.submission"
            ),
        ),
        migrations.AddField(
            model_name="columnmark",
            name="system",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="column_marks", to="governance.system"
            ),
        ),
        migrations.AddField(
            model_name="referencepopulation",
            name="unit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="reference_populations", to="governance.unit"
            ),
        ),
        migrations.AddIndex(
            model_name="columnmark",
            index=models.Index(fields=["system", "-id"], name="column_mark_latest"),
        ),
        migrations.AddConstraint(
            model_name="columnmark",
            constraint=models.CheckConstraint(
                condition=models.Q(("mark__in", ["expected", "hashed", "wrong", "remove"])), name="column_mark_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="columnmark",
            constraint=models.CheckConstraint(condition=models.Q(("reason", ""), _negated=True), name="column_mark_has_reason"),
        ),
        migrations.AddConstraint(
            model_name="referencepopulation",
            constraint=models.UniqueConstraint(fields=("unit", "name"), name="population_name_unique_in_unit"),
        ),
        migrations.RunSQL(FENCES, NO_FENCES),
    ]
