"""A pack that is in force from the start is the first of its kind; every later one comes into force by a ruling (0013)."""

from django.db import migrations

FORWARD = r"""
CREATE FUNCTION governance_pack_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.active_from IS NULL THEN
        RETURN NEW;
    END IF;
    -- two at once queue here: only one of them is the first
    PERFORM pg_advisory_xact_lock(hashtext('governance_policypack ' || NEW.kind));
    IF EXISTS (SELECT 1 FROM governance_policypack WHERE kind = NEW.kind AND active_from IS NOT NULL) THEN
        RAISE EXCEPTION 'There is a policy for % in force; another one comes into force by the approval of a second person.', NEW.kind
            USING ERRCODE = '23G02';
    END IF;
    IF NEW.active_from NOT BETWEEN clock_timestamp() - interval '10 minutes' AND clock_timestamp() + interval '1 minute' THEN
        RAISE EXCEPTION 'The first policy of a kind is in force from when it is loaded.' USING ERRCODE = '23G02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pack_first BEFORE INSERT ON governance_policypack FOR EACH ROW EXECUTE FUNCTION governance_pack_first();
ALTER TABLE governance_policypack ENABLE ALWAYS TRIGGER pack_first;
"""

BACKWARD = """
DROP FUNCTION governance_pack_first() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0020_freezes")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
