"""What a web process really loads: importing Fairlearn or SHAP costs seconds and hundreds of megabytes, so it never does."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.stack import ROOT

HEAVY = (
    "numpy",
    "pandas",
    "pyarrow",
    "fairlearn",
    "shap",
    "sklearn",
    "scipy",
    "duckdb",
    "altair",
    "vl_convert",
    "onnxruntime",
    "xgboost",
    "cel_expr_python",
)

LOADED = """
import sys
import governance.config.wsgi
from django.urls import get_resolver

def walk(patterns):
    return sum(walk(each.url_patterns) if hasattr(each, "url_patterns") else bool(each.callback) for each in patterns)

views = walk(get_resolver().url_patterns)
print(views, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_a_web_process_loads_no_measuring_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    views, *modules = done.stdout.split()
    assert int(views) > 5
    assert "django" in modules
    assert not set(HEAVY) & set(modules)
