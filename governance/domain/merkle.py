"""Merkle tree hash and audit-chain hashing as in RFC 6962: `leaf = SHA-256(0x00 ‖ data)`, `node = SHA-256(0x01 ‖ left ‖ right)`.

The chain is ours: `chain = SHA-256(0x02 ‖ previous chain ‖ leaf)`; the prefix keeps the three kinds of input apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

GENESIS = bytes(32)


def leaf_hash(data: bytes) -> bytes:
    """Hash of one entry."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def chain_hash(previous: bytes, leaf: bytes) -> bytes:
    """The chain value after one more leaf."""
    return hashlib.sha256(b"\x02" + previous + leaf).digest()


class MerkleTree:
    """A growing tree that keeps only the roots of its complete subtrees: memory is logarithmic in the number of leaves."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._stack: list[tuple[int, bytes]] = []
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        level, node = 0, leaf
        while self._stack and self._stack[-1][0] == level:
            _, left = self._stack.pop()
            node, level = node_hash(left, node), level + 1
        self._stack.append((level, node))
        self.size += 1

    def root(self) -> bytes:
        """The Merkle tree hash; of no leaves, the hash of the empty string (RFC 6962, 2.1)."""
        if not self._stack:
            return hashlib.sha256(b"").digest()
        node = self._stack[-1][1]
        for _, left in reversed(self._stack[:-1]):
            node = node_hash(left, node)
        return node
