"""One module per metadata format; a module dropped in here registers itself. Readers never import each other.

A reader has:

- `NAME`: stable name, the module's own; `TITLE`: what people read; `FILLS`: names of the facts it can give;
- `ORDER` (optional, 50): the smaller is asked first; a reader that takes nearly anything has a high one;
- `recognises(name, document) -> bool`: whether this is its format, by content first;
- `read(document, source) -> Iterator[Fact | Problem]`: everything usable, and a problem for what is not.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import Protocol, cast

from governance.domain.facts import Fact
from governance.prefill.source import Document, Problem, Source


class Reader(Protocol):
    """What a reader module offers."""

    NAME: str
    TITLE: str
    FILLS: tuple[str, ...]

    def recognises(self, name: str, document: Document) -> bool: ...

    def read(self, document: Document, source: Source) -> Iterator[Fact | Problem]: ...


@cache
def all_readers() -> tuple[Reader, ...]:
    """Every reader in this package, in the order in which they are asked."""
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    modules.sort(key=lambda module: (getattr(module, "ORDER", 50), module.__name__))
    return tuple(cast(Reader, module) for module in modules)
