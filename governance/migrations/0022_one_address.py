"""One person has one account: no two of them share an e-mail address, however it is written."""

from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("governance", "0021_first_pack_only")]
    operations = [
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(
                Lower("email"), condition=models.Q(("email", ""), _negated=True), name="person_one_address"
            ),
        ),
    ]
