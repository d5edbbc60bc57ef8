"""Architectures, vendors and regions beside the data sources: one history of proposals and rulings, one fence for all."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

FENCE = r"""
CREATE OR REPLACE FUNCTION governance_register_ruling_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change governance_registerchange%ROWTYPE;
    allowed text[];
BEGIN
    SELECT * INTO STRICT change FROM governance_registerchange WHERE id = NEW.change_id;
    IF NEW.by_id = change.proposed_by_id THEN
        RAISE EXCEPTION 'You proposed this entry, so somebody else decides about it.' USING ERRCODE = '23G01';
    END IF;
    allowed := CASE change.register
        WHEN 'sources' THEN ARRAY['privacy', 'policy_author']
        WHEN 'architectures' THEN ARRAY['analyst', 'policy_author']
        WHEN 'vendors' THEN ARRAY['legal', 'security']
        WHEN 'regions' THEN ARRAY['privacy', 'legal']
        ELSE ARRAY[]::text[] END;
    IF NOT EXISTS (
        SELECT 1 FROM governance_rolegrant g JOIN governance_person p ON p.id = g.person_id
        WHERE g.person_id = NEW.by_id AND p.is_active AND g.role = ANY(allowed)
          AND (g.unit_id IS NULL OR g.unit_id = change.unit_id)
          AND g.valid_from <= clock_timestamp() AND (g.valid_until IS NULL OR g.valid_until > clock_timestamp())
    ) THEN
        RAISE EXCEPTION 'Nobody without the role decides about this register.' USING ERRCODE = '23G03';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER source_ruling_guard ON governance_registerruling;
CREATE TRIGGER register_ruling_guard BEFORE INSERT ON governance_registerruling
    FOR EACH ROW EXECUTE FUNCTION governance_register_ruling_guard();
ALTER TABLE governance_registerruling ENABLE ALWAYS TRIGGER register_ruling_guard;
DROP FUNCTION governance_source_ruling_guard();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0018_repeated_calls"),
    ]

    operations = [
        migrations.RenameModel("SourceChange", "RegisterChange"),
        migrations.RenameModel("SourceRuling", "RegisterRuling"),
        migrations.AddField("registerchange", "register", models.CharField(default="sources", max_length=20)),
        migrations.RemoveIndex("registerchange", "source_change_latest"),
        migrations.AddIndex(
            "registerchange", models.Index(fields=["unit", "register", "name", "-id"], name="register_change_latest")
        ),
        migrations.RemoveConstraint("registerchange", "source_change_says_why"),
        migrations.AddConstraint(
            "registerchange",
            models.CheckConstraint(condition=~models.Q(why="") & ~models.Q(name=""), name="register_change_says_why"),
        ),
        migrations.RemoveConstraint("registerruling", "source_ruling_has_reason"),
        migrations.AddConstraint(
            "registerruling", models.CheckConstraint(condition=~models.Q(reason=""), name="register_ruling_has_reason")
        ),
        migrations.AlterField(
            "registerchange",
            "unit",
            models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="register_changes", to="governance.unit"),
        ),
        migrations.AlterField(
            "registerchange",
            "proposed_by",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="register_changes", to="governance.person"
            ),
        ),
        migrations.AlterField(
            "registerruling",
            "by",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="register_rulings", to="governance.person"
            ),
        ),
        migrations.CreateModel(
            name="RegisterEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("register", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=300)),
                ("values", models.JSONField(default=dict)),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="register_entries", to="governance.unit"
                    ),
                ),
            ],
            options={"constraints": [models.UniqueConstraint(fields=["unit", "register", "name"], name="register_entry_unique")]},
        ),
        migrations.RunSQL(FENCE, migrations.RunSQL.noop),
    ]
