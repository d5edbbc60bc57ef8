"""The number of unread messages stands with the person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0005_registers"),
    ]

    operations = [
        migrations.AddField(
            model_name="person",
            name="unread",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
