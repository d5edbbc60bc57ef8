"""Model file that can run code (GR101)

## What it checks
What the model file really is, told by its bytes and not by its name: pickle, joblib, cloudpickle, PyTorch files with a
pickle inside, Keras HDF5 and compressed files around them are told from XGBoost JSON and UBJSON, LightGBM text, ONNX and
skops. The declared format and the declared digest are compared with the file. Without a file the declared format is
judged.

## Why it matters
Opening a pickle runs whatever its author wrote into it, with the rights of the service that loads it. Scanners for
pickles have been bypassed again and again. A digest that does not match means that something else than the reviewed model
would be deployed.

## What good enough looks like
A format that holds data only, the format that was declared, and the declared SHA-256. A format of the pickle family
fails, whatever the file is called; so does another digest. A wrong declaration of a harmless format warns. No format "is
safe to parse" in the web process: models are opened in a confined child process only, after their structure was checked.

## How to fix
XGBoost: `booster.save_model("model.ubj")`. LightGBM: `booster.save_model("model.txt")`. scikit-learn: `skops.io.dump`, or
`mlflow.sklearn.log_model(..., serialization_format="skops")`, or ONNX by `skl2onnx`. PyTorch: ONNX or safetensors. If the
model cannot be saved otherwise, upload predictions and attributions for the other gates and ask for a waiver here.

## Tools
skops 0.13 or newer (earlier ones had holes), ONNX by skl2onnx or torch.onnx, `sha256sum` for the declared digest.
"""

from __future__ import annotations

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GR101"
NAME = "serialization-format"
COLLECTORS = ("serialization",)
NEEDS = ("serialization.safe", "serialization.digest_matches", "serialization.mismatch")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.SECURITY
MODE = Mode.AUTOMATIC
RISK = "Whoever can write the model file can run code in production."
LIMITS: dict[str, float] = {}
_FIX = (
    "Save it as XGBoost UBJSON, LightGBM text, ONNX or skops; if that is impossible, upload predictions "
    "and attributions and ask for a waiver."
)


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Format first, then the digest, then what was declared."""
    safe = measured.one("serialization.safe")
    if safe is None or safe.value is None:
        reason = (safe.reason if safe else "") or measured.not_measured.get("serialization", "The format was not looked at.")
        return not_assessed(reason, fix="Attach the model file, or answer model.serialization.")
    name = safe.text or "The format"
    if safe.value < 1:
        return stated(Verdict.FAIL, f"{name}: opening it can run code.", safe, fix=_FIX, limit="data only")
    results = [stated(Verdict.PASS, f"{name} holds data only.", safe, limit="data only")]
    digest = measured.one("serialization.digest_matches")
    if digest is not None and digest.value is not None and digest.value < 1:
        results.append(
            stated(
                Verdict.FAIL,
                digest.text or "The file's digest is not the declared one.",
                digest,
                fix="Attach the model that was trained and declared.",
                limit="equal digests",
            )
        )
    for row in measured.all("serialization.mismatch"):
        results.append(
            stated(Verdict.WARN, f"{row.text or 'The declared format is another one'}.", row, fix="Correct the declared format.")
        )
    return strictest(results)


EXAMPLES = (
    Example(
        "UBJSON",
        {"serialization.safe": Measure("serialization.safe", 1.0, text="XGBoost UBJSON"), "serialization.digest_matches": 1.0},
        Verdict.PASS,
    ),
    Example("at the limit: safe, digest not declared", {"serialization.safe": 1.0}, Verdict.PASS),
    Example("declared otherwise", {"serialization.safe": 1.0, "serialization.mismatch": 1.0}, Verdict.WARN),
    Example(
        "a pickle called model.onnx",
        {"serialization.safe": Measure("serialization.safe", 0.0, text="Python pickle")},
        Verdict.FAIL,
    ),
    Example("another file than declared", {"serialization.safe": 1.0, "serialization.digest_matches": 0.0}, Verdict.FAIL),
    Example(
        "unknown bytes",
        {"serialization.safe": Measure("serialization.safe", None, reason="unknown format")},
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
