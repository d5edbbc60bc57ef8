"""Units have working time of their own; lists know when a case is due soon without computing it."""

from django.db import migrations, models

BACKFILL = """
UPDATE governance_submission SET soon_at = turn_since + (due_at - turn_since) * 0.8
WHERE due_at IS NOT NULL AND turn_since IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0011_open_kinds")]
    operations = [
        migrations.AddField("unit", "calendar", models.JSONField(blank=True, default=dict, db_default={})),
        migrations.AddField("submission", "soon_at", models.DateTimeField(blank=True, null=True)),
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            "submission",
            models.Index(fields=["unit", "due_at"], condition=~models.Q(turn=""), name="submission_unit_waiting"),
        ),
        migrations.AddIndex(
            "submission",
            models.Index(fields=["turn_since", "id"], condition=~models.Q(turn=""), name="submission_longest"),
        ),
        migrations.AddIndex(
            "submission",
            models.Index(fields=["system", "due_at"], condition=~models.Q(turn=""), name="submission_waiting"),
        ),
    ]
