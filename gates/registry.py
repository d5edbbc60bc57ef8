"""Finds gates and collectors: a module dropped into `gates/catalog` or `gates/metrics` is there, no list to edit.

Importing them is free of heavy libraries (see `gates/metrics/base.py`), so web processes may ask. An organisation's own gates
and collectors come from installed distributions by entry points (`docs/own-gates.md`); while writing one, a package may also be
named in `GUIDERAIL_PLUGINS` (dotted names with commas between them). A distribution's gate that cannot be used is left out and
named in `problems()`: the others go on, and a policy that asks for it finds it missing.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import logging
import os
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from gates import catalog, metrics
from gates.collecting import Collected, Inputs
from gates.spec import HEADINGS, Example, GateResult, Limits, Measured, Mode
from governance.selectors import plugins
from governance.selectors.plugins import Plugin

log = logging.getLogger(__name__)
EDITION = 200
"""The most characters an edition has."""


@dataclass(frozen=True)
class Gate:
    """A gate module as data: its declarations, its documentation and its pure `judge`."""

    code: str
    name: str
    title: str
    collectors: tuple[str, ...]
    needs: tuple[str, ...]
    kinds: frozenset[Any]
    read_by: Any
    mode: Mode
    risk: str
    limits: Limits
    examples: tuple[Example, ...]
    docs: Mapping[str, str]
    judge: Callable[[Measured, Limits], GateResult]
    module: str
    plugin: Plugin | None = None

    def limits_with(self, overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The default limits with the policy pack's on top."""
        return {**self.limits, **(overrides or {})}


@dataclass(frozen=True)
class Collector:
    """A collector module as data. `module` is what the child process imports to call `collect`."""

    name: str
    title: str
    version: int
    heavy: bool
    requires: tuple[str, ...]
    optional: tuple[str, ...]
    uses_facts: tuple[str, ...]
    module: str
    in_process: bool = False
    uses_registers: tuple[str, ...] = ()
    plugin: Plugin | None = None

    @property
    def edition(self) -> str:
        """What a worker has to have to measure what was planned with this: see `edition_of`."""
        return edition_of(self.name, self.version, self.plugin.to_json() if self.plugin else None)

    def collect(self, inputs: Inputs) -> Collected:
        """Measure, in this process: the child process, or the worker for one that opens no file."""
        result = importlib.import_module(self.module).collect(inputs)
        if not isinstance(result, Collected):
            raise TypeError(f"{self.name}: collect returned {type(result).__name__}, not Collected")
        return result


@functools.cache
def gates() -> Mapping[str, Gate]:
    """Every gate by code, in code order. Raises ValueError for a module that is not whole or a code used twice."""
    found: dict[str, Gate] = {}
    for module in _modules(catalog):
        if not hasattr(module, "CODE"):
            continue
        gate = read_gate(module)
        if gate.code in found:
            raise ValueError(f"{gate.code} is used by {found[gate.code].module} and {gate.module}")
        found[gate.code] = gate
    for offer, module in _offered(plugins.GATES):
        with _left_out(offer):
            gate = read_gate(module, offer.plugin)
            _refuse_odd(offer, gate.code, found)
            found[gate.code] = gate
    return dict(sorted(found.items()))


@functools.cache
def collectors() -> Mapping[str, Collector]:
    """Every collector by name. Raises ValueError for a name used twice."""
    found: dict[str, Collector] = {}
    for module in _modules(metrics):
        if not hasattr(module, "NAME") or not hasattr(module, "collect"):
            continue
        collector = read_collector(module)
        if collector.name in found:
            raise ValueError(f"{collector.name} is used by {found[collector.name].module} and {collector.module}")
        found[collector.name] = collector
    for offer, module in _offered(plugins.COLLECTORS):
        with _left_out(offer):
            collector = read_collector(module, offer.plugin)
            _refuse_odd(offer, collector.name, found)
            found[collector.name] = collector
    return dict(sorted(found.items()))


def gate(code: str) -> Gate:
    """One gate; KeyError when there is none."""
    return gates()[code]


def collector(name: str) -> Collector:
    """One collector; KeyError when there is none."""
    return collectors()[name]


def edition_of(name: str, version: int, plugin: Mapping[str, Any] | None) -> str:
    """A collector's name and version, and of a plug-in its distribution and files: two that agree in it measure the same way."""
    if not plugin:
        return f"{name} {version}"
    files = str(plugin["digest"]).removeprefix("sha256:")[:12]
    return f"{name} {version} of {plugin['distribution']} {plugin['version']} ({files})"[:EDITION]


def editions() -> tuple[str, ...]:
    """The edition of every collector here, in order: what this process may measure."""
    return tuple(sorted(collector.edition for collector in collectors().values()))


def collectors_of(codes: Iterable[str]) -> tuple[str, ...]:
    """Names of the collectors these gates read, each once, in order of name."""
    return tuple(sorted({name for code in codes for name in gates()[code].collectors}))


def forget() -> None:
    """Drop what was found, so that the next question looks again (a module was added while running)."""
    gates.cache_clear()
    collectors.cache_clear()
    plugins.forget()
    _problems.clear()
    importlib.invalidate_caches()


def problems() -> tuple[str, ...]:
    """What installed distributions offer and could not be used, with the reason."""
    gates()
    collectors()
    return tuple(_problems.values())


def read_collector(module: ModuleType, plugin: Plugin | None = None) -> Collector:
    """Turn a metrics module into a `Collector`. Raises AttributeError for one that is not whole.

    One from a distribution always runs in the confined child process, whatever it asks for.
    """
    if not callable(module.collect):
        raise ValueError(f"{module.__name__}: collect is no function")
    return Collector(
        name=module.NAME,
        title=module.TITLE,
        version=module.VERSION,
        heavy=module.HEAVY,
        requires=tuple(str(role) for role in module.REQUIRES),
        optional=tuple(str(role) for role in module.OPTIONAL),
        uses_facts=tuple(module.USES_FACTS),
        module=module.__name__,
        in_process=bool(getattr(module, "IN_PROCESS", False)) and plugin is None,
        uses_registers=tuple(getattr(module, "USES_REGISTERS", ())),
        plugin=plugin,
    )


def read_gate(module: ModuleType, plugin: Plugin | None = None) -> Gate:
    """Turn a catalog module into a `Gate`. Raises ValueError naming what is missing."""
    missing = [
        name
        for name in ("CODE", "NAME", "COLLECTORS", "NEEDS", "KINDS", "READ_BY", "MODE", "RISK", "LIMITS", "EXAMPLES", "judge")
        if not hasattr(module, name)
    ]
    if missing:
        raise ValueError(f"{module.__name__} lacks {', '.join(missing)}")
    title, docs = read_docs(module.__doc__ or "")
    return Gate(
        code=module.CODE,
        name=module.NAME,
        title=title.removesuffix(f"({module.CODE})").strip(),
        collectors=tuple(module.COLLECTORS),
        needs=tuple(module.NEEDS),
        kinds=frozenset(module.KINDS),
        read_by=module.READ_BY,
        mode=module.MODE,
        risk=module.RISK,
        limits=dict(module.LIMITS),
        examples=tuple(module.EXAMPLES),
        docs=docs,
        judge=module.judge,
        module=module.__name__,
        plugin=plugin,
    )


def read_docs(text: str) -> tuple[str, dict[str, str]]:
    """Split a gate's docstring into its title line and {heading: text}, headings in the fixed order where present."""
    title, _, rest = text.strip().partition("\n")
    sections: dict[str, str] = {}
    for part in ("\n" + rest).split("\n## ")[1:]:
        heading, _, body = part.partition("\n")
        sections[heading.strip()] = body.strip()
    return title.strip(), {**{h: sections[h] for h in HEADINGS if h in sections}, **sections}


_problems: dict[tuple[str, str], str] = {}


def _offered(group: str) -> Iterator[tuple[plugins.Offer, ModuleType]]:
    for offer in plugins.offers():
        if offer.group == group:
            with _left_out(offer):
                yield offer, importlib.import_module(offer.module)


@contextlib.contextmanager
def _left_out(offer: plugins.Offer) -> Iterator[None]:
    """Whatever is wrong with what a distribution offers, the rest of the installation goes on without it."""
    try:
        yield
    except Exception as exc:
        log.exception("%s of %s cannot be used", offer.name, offer.plugin)
        _problems[offer.group, offer.name] = f"{offer.name} of {offer.plugin} cannot be used ({type(exc).__name__}: {exc})."


def _refuse_odd(offer: plugins.Offer, name: str, found: Mapping[str, Gate] | Mapping[str, Collector]) -> None:
    if name != offer.name:
        raise ValueError(f"the entry point is named {offer.name}, its module says {name}")
    if name in found:
        raise ValueError(f"{name} is there already, from {found[name].module}")


def _modules(own: ModuleType) -> list[ModuleType]:
    plugins = [name.strip() for name in os.environ.get("GUIDERAIL_PLUGINS", "").split(",") if name.strip()]
    packages = [own, *(importlib.import_module(name) for name in plugins)]
    found = [
        (package.__name__, info.name) for package in packages for info in pkgutil.iter_modules(package.__path__) if not info.ispkg
    ]
    return [importlib.import_module(f"{package}.{name}") for package, name in sorted(found) if not name.endswith("_impl")]
