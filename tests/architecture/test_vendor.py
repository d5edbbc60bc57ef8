"""What is vendored is what was reviewed: hashes, licences, and nothing loaded from elsewhere."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tests.stack import ROOT
from tools.vendor_manifest import NOT_LISTED, manifest

VENDOR = ROOT / "static" / "vendor"
LIBRARIES = sorted(path for path in VENDOR.iterdir() if path.is_dir())
SOURCES = sorted(
    [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static" / "css").glob("*.css"), *(ROOT / "static" / "js").glob("*.js")]
)
SPRITE_NAMES = set(re.findall(r'<symbol id="([a-z0-9-]+)"', next(VENDOR.glob("tabler-icons-*/sprite.svg")).read_text()))


def listed() -> dict[str, str]:
    rows = (line.split("  ", 1) for line in (VENDOR / "SHA256SUMS").read_text().splitlines())
    return {name: digest for digest, name in rows}


def test_every_vendored_file_has_the_listed_hash() -> None:
    present = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name not in NOT_LISTED
    }
    assert present == listed()
    assert len(present) >= 4


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    for name in ("a.css", "b.js"):
        (tmp_path / name).write_text("same")
    before = manifest(tmp_path)
    (tmp_path / "b.js").write_text("same ")
    assert manifest(tmp_path) != before
    assert manifest(tmp_path).splitlines()[0] == before.splitlines()[0]


@pytest.mark.parametrize("folder", LIBRARIES, ids=lambda path: path.name)
def test_every_library_names_its_version_and_licence(folder: Path) -> None:
    assert re.search(r"-\d+\.\d+\.\d+$", folder.name)
    assert "MIT" in (folder / "LICENSE").read_text(encoding="utf-8")
    assert folder.name in (VENDOR / "README.md").read_text(encoding="utf-8")


def test_the_interface_stays_small() -> None:
    served = [*VENDOR.rglob("*.css"), *VENDOR.rglob("*.js"), *VENDOR.rglob("*.svg")]
    assert sum(path.stat().st_size for path in served) < 800_000


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_is_loaded_from_elsewhere(source: Path) -> None:
    text = re.sub(r"xmlns(:\w+)?=(\"[^\"]*\"|'[^']*')", "", source.read_text(encoding="utf-8"))
    loaded = re.findall(
        r"<(?:script|link|img|iframe|source|object|embed)\b[^>]*?(?:src|href|data)\s*=\s*[\"'](?:https?:)?//[^\"']+", text
    )
    loaded += re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^\"')]+", text)
    assert loaded == []


def test_every_icon_a_template_asks_for_is_in_the_sprite() -> None:
    asked = {
        name
        for source in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r"\{%\s*icon\s+\"([a-z0-9-]+)\"", source.read_text(encoding="utf-8"))
    }
    asked |= {
        name
        for source in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r"\bicon=\"([a-z0-9-]+)\"", source.read_text(encoding="utf-8"))
    }
    assert asked - SPRITE_NAMES == set()
    assert len(asked) > 20


def test_every_badge_has_an_icon_of_the_sprite() -> None:
    from governance.ui.badges import SETS  # noqa: PLC0415 (Django may not start while models are being built)

    used = {badge.icon for members in SETS.values() for badge in members.values()}
    assert used - SPRITE_NAMES == set()
