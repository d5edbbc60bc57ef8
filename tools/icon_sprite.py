"""Build the icon sprite of the interface from an unpacked `@tabler/icons` package.

    npm pack @tabler/icons@3.51.0 && tar xzf tabler-icons-3.51.0.tgz
    python tools/icon_sprite.py package static/vendor/tabler-icons-3.51.0/sprite.svg

Only the outlines the templates use go in, so that a page loads a few kilobytes instead of six thousand drawings.
Add a name to `NAMES`, run this again, then `python tools/vendor_manifest.py`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

_NAMES = """
adjustments alert-octagon alert-triangle archive arrow-back-up arrow-left arrow-right arrows-diff ban book book-2 box
calendar-due chart-histogram check checklist checks chevron-down chevron-right circle circle-check circle-dashed
circle-minus circle-x clock clock-pause copy database device-laptop download edit external-link eye file-certificate
file-text files fingerprint flag git-compare hand-stop help-circle history home hourglass inbox info-circle key list
list-check loader-2 lock logout mail menu-2 message moon pencil player-pause plus printer refresh report-search rocket
rotate scale search send server-bolt shield-check shield-lock sun table tag tool trash upload user user-check user-plus
users versions x
"""
NAMES = tuple(_NAMES.split())

_SHAPE = re.compile(r"<(?:path|circle|rect|line|polyline|polygon|ellipse)\b[^>]*/>")


def sprite(package: Path) -> str:
    """Return the sprite: one `<symbol id="name">` per icon. Raises FileNotFoundError for a name the package does not have."""
    symbols: list[str] = []
    for name in NAMES:
        text = (package / "icons" / "outline" / f"{name}.svg").read_text(encoding="utf-8")
        shapes = [shape for shape in _SHAPE.findall(text) if 'd="M0 0h24v24H0z"' not in shape]
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{"".join(shapes)}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(sprite(Path(sys.argv[1])), encoding="utf-8")
