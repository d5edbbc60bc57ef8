"""Pages as people see them: opened in a browser, measured by ruler, judged by axe, and heard on their console."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe

from governance.models import Person
from governance.ui.demo_sign_in import sign_in_path

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Look = tuple[int, str]
Row = tuple[str, str, str, int]
"""Name of the page's URL, who looks, its address, the status that is expected."""

DAILY: tuple[Look, ...] = ((1440, "light"), (320, "dark"))
"""Both widths and both themes, in two runs: what a rule says of colours hangs on the theme, of everything else on the width."""
EVERY: tuple[Look, ...] = ((1440, "light"), (1440, "dark"), (320, "light"), (320, "dark"))
WIDTHS = (1440, 390, 320)

OPEN = """(() => {
  const kinds = {};
  document.querySelectorAll('details:not(.menu)').forEach(part => {
    const kind = part.className + '|' + (part.querySelector('summary + *')?.className || '').split(' ')[0];
    kinds[kind] = (kinds[kind] || 0) + 1;
    part.open = kinds[kind] < 4;
  });
})()"""
"""Three of each kind part that folds: forty of the same tell nothing more and make a page that nobody ever sees."""

THIN = """(() => {
  const seen = {}, kept = new Set(), shape = new Map();
  for (const name of ['aria-labelledby', 'aria-describedby', 'aria-controls', 'for'])
    document.querySelectorAll(`[${name}]`).forEach(part => part.getAttribute(name).split(' ').forEach(id => {
      for (let named = document.getElementById(id); named; named = named.parentElement) {
        if (named.contains(part)) break;
        kept.add(named);
      }
    }));
  const look = part => `${part.tagName}.${part.className.baseVal ?? part.className}[${part.getAttribute('role') || ''}]`;
  const whole = part => {
    if (!shape.has(part)) shape.set(part, `${look(part)}(${[...part.children].map(whole).join()})`);
    return shape.get(part);
  };
  const walk = (part, path) => {
    for (const child of [...part.children]) {
      const here = `${path}>${look(child)}`;
      if (/^(LI|TR|DIV|P|DETAILS|ARTICLE|SECTION|FIGURE|DL)$/.test(child.tagName) && !kept.has(child)) {
        const key = `${path}>${whole(child)}`;
        seen[key] = (seen[key] || 0) + 1;
        if (seen[key] > 3) { child.remove(); continue; }
      }
      walk(child, here);
    }
  };
  walk(document.body, '');
})()"""
"""Keeps three of whatever stands in the same place with the same elements and classes: axe says the same of the fourth.

What another element is named by stays.
"""


def violations(page: Page, **options: Any) -> list[str]:
    """What axe finds on the page as it is now, by every rule it has; at most three places of each."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")  # the page has seen its size
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    given = {"resultTypes": ["violations"], "preload": False, **options}
    found = page.evaluate("options => axe.run(options).then(found => found.violations)", given)
    return [
        f"{item['id']} ({item['impact']}) {node['target']} {node['failureSummary'][:200]}"
        for item in found
        for node in item["nodes"][:3]
    ]


@dataclass
class Looking:
    """Opens pages as a person, in every look, and keeps what is wrong."""

    browser: Browser
    url: str
    people: dict[str, Person]
    looks: Sequence[Look] = DAILY
    wrong: list[str] = field(default_factory=list)
    judged: set[str] = field(default_factory=set)
    pages: dict[str, Page] = field(default_factory=dict)

    def page_of(self, who: str) -> Page:
        """The person's own browser; "" is a visitor."""
        if who not in self.pages:
            context = self.browser.new_context(base_url=self.url, reduced_motion="reduce")
            context.set_default_timeout(30_000)
            page = context.new_page()
            page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: script error {error}"))
            page.on("console", lambda message: self._heard(page, message.type, message.text))
            if who:
                page.goto(sign_in_path(self.people[who]))
            self.pages[who] = page
        return self.pages[who]

    def _heard(self, page: Page, kind: str, text: str) -> None:
        if kind == "error" and "the server responded with a status of 4" not in text:
            self.wrong.append(f"{page.url}: console {text}")

    def all(self, rows: Sequence[Row], **values: object) -> None:
        """Look at each page of a list."""
        for name, who, path, status in rows:
            self.look(name, who, path.format(**values), status)

    def look(self, name: str, who: str, path: str, status: int = 200) -> None:
        """Open the page and judge it."""
        page = self.page_of(who)
        answer = page.goto(path)
        assert answer is not None
        if answer.status != status:
            self.wrong.append(f"{name} {path} as {who}: status {answer.status}, expected {status}")
            return
        self.judge(name, page)

    def judge(self, name: str, page: Page) -> None:
        """The page as it is shown now, with what folds open, three of each kind. A page of the same name is measured again,
        and judged by axe once.
        """
        page.evaluate(OPEN)
        if page.locator("h1").count() != 1:
            self.wrong.append(f"{name}: {page.locator('h1').count()} main headings")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if over > 0:
                self.wrong.append(f"{name} at {width} px: {over} px too wide")
        if name in self.judged:
            return
        self.judged.add(name)
        if self.looks == DAILY:
            page.evaluate(THIN)
        for width, theme in self.looks:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            self.wrong += [f"{name} {width} {theme}: {found}" for found in violations(page)]

    def close(self) -> None:
        for page in self.pages.values():
            page.context.close()
