"""What was measured and what the gates said is never changed or deleted."""

from django.db import migrations

TABLES = ("gates_measurement", "gates_chart", "gates_gateoutcome")


class Migration(migrations.Migration):
    dependencies = [("gates", "0001_initial"), ("governance", "0002_audit_chain")]
    operations = [
        migrations.RunSQL(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change();",
            f"DROP TRIGGER {table}_append_only ON {table};",
        )
        for table in TABLES
    ]
