"""The commands of the user guide, run as they are written, one block after the other, against a real server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from governance.models import Submission
from tests.governance import making
from tests.stack import ROOT, Running

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_commands_of_the_user_guide_work(web: Running, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    making.policy()
    secret = making.token(making.person())
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "docs" / "user-guide.md").read_text(), re.S)
    assert len(blocks) >= 6
    (tmp_path / "predictions.csv").write_text("case_id,default,pred,p,sex\n1,0,0,0.1,f\n2,1,1,0.9,m\n")
    shutil.copy(making.MLMODEL, tmp_path / "MLmodel")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\necho\n".join(blocks)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "TOKEN": secret, "GUIDERAIL": web.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    row = Submission.objects.get()
    assert (row.state, row.track, row.idempotency_key) == ("withdrawn", "red", "build-4711")
    assert row.sources.count() == 1 and row.evidence.count() == 1
    assert '"allowed":false' in done.stdout.replace(" ", "") and "**Red track" in done.stdout
