"""How often each gate raises an alarm although nothing changed: `python -m tests.gates.alarms` writes docs/false-alarms.md."""
