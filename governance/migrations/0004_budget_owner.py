"""A role for the person who answers for a budget: what costs more than planned needs their approval, recorded."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0003_fences"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="rolegrant",
            name="grant_role_known",
        ),
        migrations.AlterField(
            model_name="rolegrant",
            name="role",
            field=models.CharField(
                choices=[
                    ("submitter", "data scientist"),
                    ("platform_engineer", "ML platform engineer"),
                    ("analyst", "ML Governance Analyst"),
                    ("risk_officer", "risk officer"),
                    ("privacy", "data steward (privacy)"),
                    ("legal", "legal"),
                    ("ethics", "ethics"),
                    ("product", "product"),
                    ("budget_owner", "budget owner"),
                    ("security", "security"),
                    ("auditor", "auditor"),
                    ("policy_author", "policy author"),
                    ("admin", "administrator"),
                ],
                max_length=32,
            ),
        ),
        migrations.AddConstraint(
            model_name="rolegrant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        [
                            "submitter",
                            "platform_engineer",
                            "analyst",
                            "risk_officer",
                            "privacy",
                            "legal",
                            "ethics",
                            "product",
                            "budget_owner",
                            "security",
                            "auditor",
                            "policy_author",
                            "admin",
                        ],
                    )
                ),
                name="grant_role_known",
            ),
        ),
    ]
