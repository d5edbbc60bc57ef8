"""What a version is worth a day, as somebody declares it."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE TRIGGER declared_value_append_only BEFORE UPDATE OR DELETE ON reviews_declaredvalue
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE reviews_declaredvalue ENABLE ALWAYS TRIGGER declared_value_append_only;
"""
BACKWARD = "DROP TRIGGER declared_value_append_only ON reviews_declaredvalue;"


def key(to: str, related: str = "+") -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name=related, to=to)


class Migration(migrations.Migration):
    dependencies = [("reviews", "0015_threads"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            name="DeclaredValue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("per_day", models.DecimalField(decimal_places=2, max_digits=16)),
                ("currency", models.CharField(max_length=3)),
                ("why", models.CharField(help_text="where the amount comes from", max_length=500)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("by", key(settings.AUTH_USER_MODEL)),
                ("submission", key("governance.submission", "declared_values")),
                ("unit", key("governance.unit")),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("per_day__gte", 0)), name="declared_value_not_negative"),
                    models.CheckConstraint(condition=models.Q(("why", ""), _negated=True), name="declared_value_says_why"),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
