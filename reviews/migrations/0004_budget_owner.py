"""A role for the person who answers for a budget: what costs more than planned needs their approval, recorded."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0004_budget_owner"),
        ("reviews", "0003_fences"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="reviewstep",
            name="step_role_reviews",
        ),
        migrations.AddConstraint(
            model_name="reviewstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        [
                            "analyst",
                            "budget_owner",
                            "ethics",
                            "legal",
                            "platform_engineer",
                            "privacy",
                            "product",
                            "risk_officer",
                            "security",
                        ],
                    )
                ),
                name="step_role_reviews",
            ),
        ),
    ]
