"""The register of data sources has a history: proposals and second persons' rulings, append-only and fenced like sign-offs."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FENCES = r"""
CREATE FUNCTION governance_source_ruling_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change governance_sourcechange%ROWTYPE;
BEGIN
    SELECT * INTO STRICT change FROM governance_sourcechange WHERE id = NEW.change_id;
    IF NEW.by_id = change.proposed_by_id THEN
        RAISE EXCEPTION 'You proposed this entry, so somebody else decides about it.' USING ERRCODE = '23G01';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM governance_rolegrant g JOIN governance_person p ON p.id = g.person_id
        WHERE g.person_id = NEW.by_id AND p.is_active AND g.role IN ('privacy', 'policy_author')
          AND (g.unit_id IS NULL OR g.unit_id = change.unit_id)
          AND g.valid_from <= clock_timestamp() AND (g.valid_until IS NULL OR g.valid_until > clock_timestamp())
    ) THEN
        RAISE EXCEPTION 'Only a data steward or a policy author decides about data sources.' USING ERRCODE = '23G03';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER source_ruling_guard BEFORE INSERT ON governance_sourceruling FOR EACH ROW EXECUTE FUNCTION governance_source_ruling_guard();
CREATE TRIGGER source_ruling_append_only BEFORE UPDATE OR DELETE ON governance_sourceruling FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER source_ruling_no_truncate BEFORE TRUNCATE ON governance_sourceruling FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER source_change_append_only BEFORE UPDATE OR DELETE ON governance_sourcechange FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER source_change_no_truncate BEFORE TRUNCATE ON governance_sourcechange FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE governance_sourceruling ENABLE ALWAYS TRIGGER source_ruling_guard;
ALTER TABLE governance_sourceruling ENABLE ALWAYS TRIGGER source_ruling_append_only;
ALTER TABLE governance_sourceruling ENABLE ALWAYS TRIGGER source_ruling_no_truncate;
ALTER TABLE governance_sourcechange ENABLE ALWAYS TRIGGER source_change_append_only;
ALTER TABLE governance_sourcechange ENABLE ALWAYS TRIGGER source_change_no_truncate;
"""

NO_FENCES = """
DROP TRIGGER source_change_no_truncate ON governance_sourcechange;
DROP TRIGGER source_change_append_only ON governance_sourcechange;
DROP TRIGGER source_ruling_no_truncate ON governance_sourceruling;
DROP TRIGGER source_ruling_append_only ON governance_sourceruling;
DROP TRIGGER source_ruling_guard ON governance_sourceruling;
DROP FUNCTION governance_source_ruling_guard();
"""
NOW = django.db.models.functions.datetime.Now()


def person(related: str) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name=related, to=settings.AUTH_USER_MODEL)


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0016_trust"),
    ]

    operations = [
        migrations.AddField("datasource", "quality_rule", models.CharField(blank=True, max_length=300)),
        migrations.AddField("datasource", "consumer_rights", models.CharField(blank=True, max_length=300)),
        migrations.AddField("datasource", "region", models.CharField(blank=True, max_length=60)),
        migrations.AddField("datasource", "access_class", models.CharField(blank=True, max_length=20)),
        migrations.CreateModel(
            name="SourceChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=300)),
                ("values", models.JSONField()),
                ("why", models.CharField(max_length=500)),
                ("origin", models.CharField(max_length=20)),
                ("proposed_at", models.DateTimeField(db_default=NOW)),
                ("proposed_by", person("source_changes")),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="source_changes", to="governance.unit"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["unit", "name", "-id"], name="source_change_latest")],
                "constraints": [
                    models.CheckConstraint(condition=~models.Q(why="") & ~models.Q(name=""), name="source_change_says_why")
                ],
            },
        ),
        migrations.CreateModel(
            name="SourceRuling",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("approved", models.BooleanField()),
                ("reason", models.CharField(max_length=500)),
                ("at", models.DateTimeField(db_default=NOW)),
                ("by", person("source_rulings")),
                (
                    "change",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="ruling", to="governance.sourcechange"
                    ),
                ),
            ],
            options={"constraints": [models.CheckConstraint(condition=~models.Q(reason=""), name="source_ruling_has_reason")]},
        ),
        migrations.RunSQL(FENCES, NO_FENCES),
    ]
