"""The shape of a collector module, and the register of those shipped.

A collector is one module in `gates/metrics/` with:

- `NAME`: stable name, as gates cite it in `COLLECTORS`;
- `TITLE`: what a person reads while it runs ("Comparing with the champion");
- `VERSION`: raised when the numbers it gives can change; stored with each run;
- `HEAVY`: whether it gets a task of its own (SHAP), else it shares one with the other light ones;
- `REQUIRES`: evidence roles without which it cannot measure; `OPTIONAL`: roles it uses where present;
- `IN_PROCESS` (optional, False): True for one that opens no file and takes no time: it runs in the worker itself,
  all others in a confined child process;
- `USES_FACTS`: fact names it reads (they are part of the input digest);
- `USES_REGISTERS` (optional, none): what the organisation knows that it reads from `settings`: "registered_sources",
  "known_versions", "reference_populations", "column_marks", "attribution_shares", "running_experiments", "earlier_costs",
  "cel_conditions", "as_of"; see `gates/services/registers.py` and `elsewhere.py`
  (part of the input digest as well: nobody else measures again when another version is handed in);
- `collect(inputs: Inputs) -> Collected`: deterministic for the same inputs and seed.

The attributes must be readable without importing numpy and friends: heavy imports stand inside `gates.metrics.<name>_impl`
or in functions of the module, and `collect` is only ever called in the child process.
"""
