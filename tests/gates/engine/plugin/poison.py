"""Crashes the process it runs in, as a damaged file makes a native library do."""

import ctypes

from gates.collecting import Collected, Inputs

NAME, TITLE, VERSION, HEAVY = "poison", "Reading a damaged file", 1, False
REQUIRES: tuple[str, ...] = ()
OPTIONAL: tuple[str, ...] = ()
USES_FACTS: tuple[str, ...] = ()


def collect(inputs: Inputs) -> Collected:
    ctypes.string_at(0)
    return Collected(not_measured="a null pointer could be read")
