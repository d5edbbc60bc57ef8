"""The secret of a webhook may lie outside of the database, under a name."""

from django.db import migrations, models

_CHANGE = """
DROP TRIGGER webhook_endpoint_frozen ON reviews_webhookendpoint;
CREATE TRIGGER webhook_endpoint_frozen BEFORE UPDATE ON reviews_webhookendpoint FOR EACH ROW EXECUTE FUNCTION reviews_only_these_change(
    'name', 'url', 'events', 'format', 'secret', 'previous', 'previous_until', 'seen_seq', 'failing_since', 'disabled_at', 'disabled_why',
    'removed_at'{more});
"""
FENCE, FENCE_BEFORE = _CHANGE.format(more=", 'secret_ref'"), _CHANGE.format(more="")


class Migration(migrations.Migration):
    dependencies = [
        ("reviews", "0019_deployment_gates"),
    ]

    operations = [
        migrations.AddField(
            model_name="webhookendpoint",
            name="secret_ref",
            field=models.CharField(blank=True, db_default="", help_text="NAME of GUIDERAIL_WEBHOOK_NAME_SECRET", max_length=40),
        ),
        migrations.AlterField(
            model_name="webhookendpoint",
            name="secret",
            field=models.BinaryField(null=True),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("secret__isnull", False), ("secret_ref", "")),
                    models.Q(models.Q(("secret_ref", ""), _negated=True), ("secret__isnull", True)),
                    _connector="OR",
                ),
                name="webhook_secret_in_one_place",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.UniqueConstraint(
                condition=models.Q(("removed_at__isnull", True), models.Q(("secret_ref", ""), _negated=True)),
                fields=("secret_ref",),
                name="webhook_secret_of_its_own",
            ),
        ),
        migrations.RunSQL(FENCE, FENCE_BEFORE),
    ]
