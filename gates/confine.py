"""Takes rights away from the present process, for good, before it opens anything from outside. Linux; standard library only.

Layers, each used where the kernel offers it and reported by `confine` (never assumed):

- resource limits: memory, CPU seconds, file size, open files, no core file;
- no new privileges, and the kernel kills this process when its parent dies;
- user and network namespaces of its own: no interface but a closed loopback;
- Landlock: writing only beneath the working folder, no look into other processes;
- a seccomp filter: no new process, no program, no socket, no signal to others.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP = 1, 22, 38, 24
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_THREAD = 0x10000000, 0x40000000, 0x00010000
_LANDLOCK_CREATE, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT = 444, 445, 446
_CAPABILITIES = 41


@dataclass(frozen=True, slots=True)
class Rights:
    """What is left to a child. `address_space` 0 means: bound `data` instead (for a runtime that reserves far more than it
    uses).
    """

    address_space: int
    data: int
    cpu_seconds: int
    file_bytes: int
    open_files: int


def confine(rights: Rights, workdir: str) -> dict[str, bool]:
    """Give up everything not needed. Returns which layers hold; raises OSError when a resource limit cannot be set."""
    _limit(rights)
    libc = ctypes.CDLL(None, use_errno=True)
    held = {"limits": True}
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    held["network_namespace"] = libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0
    held["no_new_privileges"] = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    _drop_capabilities(libc)
    held["files"] = _landlock(libc, workdir)
    held["system_calls"] = _seccomp(libc)
    return held


def _limit(rights: Rights) -> None:
    for what, amount in (
        (resource.RLIMIT_AS, rights.address_space),
        (resource.RLIMIT_DATA, rights.data),
        (resource.RLIMIT_FSIZE, rights.file_bytes),
        (resource.RLIMIT_NOFILE, rights.open_files),
        (resource.RLIMIT_CORE, 0),
    ):
        if amount or what == resource.RLIMIT_CORE:
            hard = resource.getrlimit(what)[1]
            amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
            resource.setrlimit(what, (amount, amount))
    resource.setrlimit(resource.RLIMIT_CPU, (rights.cpu_seconds, rights.cpu_seconds + 5))


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """A new user namespace hands out every capability inside it: put them all down again."""
    for capability in range(_CAPABILITIES):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = struct.pack("=Ii", 0x20080522, 0)
    libc.capset(ctypes.create_string_buffer(header), ctypes.create_string_buffer(struct.pack("=6I", *[0] * 6)))


def _landlock(libc: ctypes.CDLL, workdir: str) -> bool:
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    # write file, remove dir and file, make char, dir, regular, socket, fifo, block, symlink; refer from version 2, truncate
    # from 3
    access = sum(1 << bit for bit in (1, *range(4, 13)))
    access |= (1 << 13 if version >= 2 else 0) | (1 << 14 if version >= 3 else 0)
    attributes = ctypes.create_string_buffer(struct.pack("=Q", access))
    ruleset = libc.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    try:
        for path, rights in ((workdir, access), ("/dev/null", access & ((1 << 1) | (1 << 14)))):
            beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, beneath))
            added = libc.syscall(_LANDLOCK_ADD_RULE, ruleset, 1, rule, 0)
            os.close(beneath)
            if added != 0:
                return False
        return bool(libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


# Numbers of the system calls refused outright, per machine; those with an argument to look at are handled in `_program`.
_REFUSED = {
    "x86_64": (
        41,
        42,
        49,
        50,
        57,
        58,
        59,
        101,
        129,
        165,
        166,
        200,
        248,
        249,
        250,
        272,
        297,
        298,
        308,
        310,
        311,
        321,
        322,
        323,
        424,
        425,
        434,
    ),
    "aarch64": (
        198,
        203,
        200,
        201,
        221,
        117,
        138,
        40,
        39,
        130,
        217,
        218,
        219,
        97,
        240,
        241,
        268,
        270,
        271,
        280,
        281,
        282,
        424,
        425,
        434,
    ),
}
_CLONE = {"x86_64": 56, "aarch64": 220}
_KILL = {"x86_64": (62, 234), "aarch64": (129, 131)}  # kill, tgkill: allowed to itself, so that abort() can abort
_PRLIMIT = {"x86_64": 302, "aarch64": 261}
_CLONE3 = 435
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def _program(machine: str, pid: int) -> bytes:
    """The filter as classic BPF. Everything else stays allowed: this is a fence around processes, programs and sockets."""
    refuse, missing, allow, kill = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS, 0x7FFF0000, 0x80000000
    load, equal, at_least, any_bit, give = 0x20, 0x15, 0x35, 0x45, 0x06

    def step(code: int, yes: int, no: int, value: int) -> bytes:
        return struct.pack("=HBBI", code, yes, no, value)

    code = [step(load, 0, 0, 4), step(equal, 1, 0, _ARCHITECTURE[machine]), step(give, 0, 0, kill), step(load, 0, 0, 0)]
    if machine == "x86_64":  # the x32 numbering would go round the list
        code += [step(at_least, 0, 1, 0x40000000), step(give, 0, 0, refuse)]
    for number in _REFUSED[machine]:
        code += [step(equal, 0, 1, number), step(give, 0, 0, refuse)]
    # glibc falls back from clone3 to clone, whose flags can be read here: threads yes, processes no
    code += [step(equal, 0, 1, _CLONE3), step(give, 0, 0, missing)]
    code += [
        step(equal, 0, 4, _CLONE[machine]),
        step(load, 0, 0, 16),
        step(any_bit, 1, 0, _CLONE_THREAD),
        step(give, 0, 0, refuse),
        step(give, 0, 0, allow),
    ]
    for number in _KILL[machine]:
        code += [
            step(equal, 0, 4, number),
            step(load, 0, 0, 16),
            step(equal, 1, 0, pid),
            step(give, 0, 0, refuse),
            step(give, 0, 0, allow),
        ]
    code += [
        step(equal, 0, 4, _PRLIMIT[machine]),
        step(load, 0, 0, 16),
        step(equal, 1, 0, 0),
        step(give, 0, 0, refuse),
        step(give, 0, 0, allow),
    ]
    code.append(step(give, 0, 0, allow))
    return b"".join(code)


def _seccomp(libc: ctypes.CDLL) -> bool:
    machine = platform.machine()
    if machine not in _ARCHITECTURE or struct.calcsize("P") != 8:
        return False
    program = _program(machine, os.getpid())
    held = ctypes.create_string_buffer(program)
    header = ctypes.create_string_buffer(struct.pack("=HxxxxxxQ", len(program) // 8, ctypes.addressof(held)))
    return bool(libc.prctl(_PR_SET_SECCOMP, 2, ctypes.c_void_p(ctypes.addressof(header)), 0, 0) == 0)


def peak_megabytes() -> int:
    """The largest resident size of this process since its program started (getrusage would count its parent's before that)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return 0
