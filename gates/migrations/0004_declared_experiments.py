"""Who declares an A/B test is asked by everybody who declares one: few rows, found without reading all runs."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gates", "0003_run_control"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="gaterun",
            index=models.Index(
                condition=models.Q(("collector", "experiment"), ("not_applicable", ""), ("not_measured", ""), ("status", "done")),
                fields=["submission"],
                name="run_declared_experiment",
            ),
        ),
    ]
