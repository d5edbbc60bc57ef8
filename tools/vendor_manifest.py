"""Write `static/vendor/SHA256SUMS`: one line per vendored file, readable by `sha256sum --check`.

    python tools/vendor_manifest.py

Run it after replacing a library; `tests/architecture/test_vendor.py` compares the files with the list.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
NOT_LISTED = {"SHA256SUMS", "README.md"}


def manifest(folder: Path) -> str:
    """Return the lines `<sha256>  <path>` of every file under `folder`, by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in NOT_LISTED)
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path in files)


if __name__ == "__main__":
    (VENDOR / "SHA256SUMS").write_text(manifest(VENDOR), encoding="utf-8")
