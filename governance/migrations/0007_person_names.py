"""People are found by the names that metadata gives them without reading everybody: one index for each way to be named.

Only ASCII letters are lowered (as the "C" collation does, wherever the database stands); who has others is listed apart.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0006_person_unread"),
    ]

    operations = [
        migrations.RunSQL(
            [
                'CREATE INDEX person_username_lower ON governance_person (lower(username COLLATE "C"))',
                'CREATE INDEX person_email_lower ON governance_person (lower(email COLLATE "C"))',
                'CREATE INDEX person_known_as_lower ON governance_person USING gin ((lower(known_as::text COLLATE "C")::jsonb))',
                # more bytes than letters: some letter is not ASCII
                "CREATE INDEX person_named_beyond_ascii ON governance_person "
                "((octet_length(username || email || known_as::text) - length(username || email || known_as::text)))",
            ],
            [
                "DROP INDEX person_username_lower, person_email_lower, person_known_as_lower, person_named_beyond_ascii",
            ],
        )
    ]
