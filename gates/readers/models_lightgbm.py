"""LightGBM text: an own check of the whole text before the native library reads it.

LightGBM aborts the process (it cannot be caught in Python) when `tree_sizes` disagrees with the text, and reads or writes
outside its arrays when a child, split or category index is wrong. So nothing reaches it that does not hold together here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gates.readers.models_refusal import ModelRefused, whole

MAX_FEATURES = 20_000
MAX_TREES = 50_000
MAX_LEAVES = 200_000
MAX_DEPTH = 300
_HEADER = frozenset(
    [
        "tree",
        "version",
        "num_class",
        "num_tree_per_iteration",
        "label_index",
        "max_feature_idx",
        "objective",
        "average_output",
        "feature_names",
        "monotone_constraints",
        "feature_infos",
        "tree_sizes",
    ]
)
_INNER = (
    "split_feature",
    "split_gain",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "internal_value",
    "internal_weight",
    "internal_count",
)
_LEAF = ("leaf_value", "leaf_weight", "leaf_count")
_TREE = frozenset({"num_leaves", "num_cat", "cat_boundaries", "cat_threshold", "is_linear", "shrinkage", *_INNER, *_LEAF})
_OBJECTIVES = frozenset(
    [
        "binary",
        "cross_entropy",
        "cross_entropy_lambda",
        "regression",
        "regression_l1",
        "huber",
        "fair",
        "poisson",
        "quantile",
        "mape",
        "gamma",
        "tweedie",
        "lambdarank",
        "rank_xendcg",
        "multiclass",
        "multiclassova",
        "custom",
    ]
)

# Narrower than Python's float(), which takes underscores, blanks and other digits that LightGBM reads differently.
_REAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?|inf|nan)")
_OBJECTIVE = re.compile(r"[a-z_0-9]+( [a-z_]+(:[0-9.eE+-]+)?)*")
_ENDING = "end of trees\n\nparameters:\nend of parameters\n\npandas_categorical:null\n"


@dataclass(frozen=True)
class CheckedText:
    """A text that holds together. `categories`: text levels per categorical column, in order, as pandas wrote them.

    `text` is what LightGBM gets: header and trees as checked; importances and training parameters, which predictions do
    not need and whose parser ends the process on a damaged line, are left out.
    """

    text: str
    features: tuple[str, ...]
    objective: str
    classes: int
    trees: int
    categories: tuple[tuple[object, ...], ...]


def checked_text(path: str | Path) -> CheckedText:
    """Read and check the file; `ModelRefused` names the tree and what is wrong."""
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelRefused("UTF-8 text", "other bytes") from error
    if "\r" in text or "\0" in text:
        raise ModelRefused("lines that end with a line feed only", "carriage returns or zero bytes")
    return check(text)


def check(text: str) -> CheckedText:
    """Check the header, every tree, and that `tree_sizes` describes exactly the trees that follow."""
    start = text.find("\nTree=")
    header = _pairs(text[: start if start >= 0 else text.find("end of trees")], _HEADER, "the header")
    if header.get("version") not in ("v3", "v4"):
        raise ModelRefused("text version v3 or v4", f"“{header.get('version', 'none')}”")
    features = whole(header.get("max_feature_idx"), "max_feature_idx", 0, MAX_FEATURES - 1) + 1
    classes = whole(header.get("num_class"), "num_class", 1, 1000)
    per_round = whole(header.get("num_tree_per_iteration"), "num_tree_per_iteration", 1, 1000)
    names = tuple(header.get("feature_names", "").split(" "))
    if len(names) != features or len(header.get("feature_infos", "").split(" ")) != features:
        raise ModelRefused(f"{features} feature names and infos", f"{len(names)} names")
    objective = header.get("objective", "custom").split(" ")[0]
    if objective not in _OBJECTIVES or not _OBJECTIVE.fullmatch(header.get("objective", "custom")):
        raise ModelRefused("a known objective", f"“{objective[:40]}”")
    trees = _blocks(text, start, header)
    if len(trees) % per_round:
        raise ModelRefused("whole rounds of trees", f"{len(trees)} trees at {per_round} a round")
    for number, block in enumerate(trees):
        _check_tree(_pairs(block, _TREE, f"tree {number}"), number, features)
    kept = text[: start + 1] + "".join(trees) + _ENDING if start >= 0 else text[: text.find("end of trees")] + _ENDING
    return CheckedText(kept, names, objective, max(classes, per_round), len(trees), _pandas_categories(text))


def _pairs(block: str, known: frozenset[str], where: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for line in block.splitlines():
        if not line:
            continue
        key, _, value = line.partition("=")
        if key == "Tree":
            continue
        if key not in known:
            raise ModelRefused(f"known lines in {where}", f"“{key[:40]}”")
        if key in found:
            raise ModelRefused(f"each line of {where} once", f"“{key}” twice")
        found[key] = value
    return found


def _blocks(text: str, start: int, header: Mapping[str, str]) -> list[str]:
    if "tree_sizes" not in header:
        raise ModelRefused("a tree_sizes line", "none: the file was edited or cut")
    sizes = [whole(part, "tree size", 1, 2**31 - 1) for part in header["tree_sizes"].split(" ") if part]
    if len(sizes) > MAX_TREES:
        raise ModelRefused(f"at most {MAX_TREES} trees", str(len(sizes)))
    data = text.encode()
    at = len(text[: start + 1].encode())
    blocks = []
    for number, size in enumerate(sizes):
        block = data[at : at + size]
        if len(block) != size or not block.startswith(f"Tree={number}\n".encode()) or block.count(b"Tree=") != 1:
            raise ModelRefused(f"tree {number} where tree_sizes says", "other text: the file was edited or cut")
        blocks.append(block.decode())
        at += size
    if not data[at:].lstrip(b"\n").startswith(b"end of trees"):
        raise ModelRefused("“end of trees” after the last tree", "other text: the file was edited or cut")
    return blocks


def _check_tree(tree: Mapping[str, str], number: int, features: int) -> None:
    where = f"tree {number}"
    leaves = whole(tree.get("num_leaves"), f"num_leaves of {where}", 1, MAX_LEAVES)
    cats = whole(tree.get("num_cat", "0"), f"num_cat of {where}", 0, MAX_LEAVES)
    if tree.get("is_linear", "0") != "0":
        raise ModelRefused("constant leaves", f"a linear tree ({where})")
    _real(tree.get("shrinkage", "1"), f"shrinkage of {where}")
    if leaves == 1:
        _row(tree, "leaf_value", 1, where)
        return
    rows = {name: _row(tree, name, leaves - 1, where) for name in _INNER}
    rows |= {name: _row(tree, name, leaves, where) for name in _LEAF if name in tree or name == "leaf_value"}
    if not np.isfinite(rows["leaf_value"]).all():
        raise ModelRefused(f"finite leaf values in {where}", "NaN or infinity")
    for name in ("internal_count", "leaf_count"):
        if name in rows and ((rows[name] < 0) | (rows[name] > 2**31 - 1) | (rows[name] != np.floor(rows[name]))).any():
            raise ModelRefused(f"counts of rows in {where}", f"“{name}” with something else")
    if "leaf_count" not in rows:
        raise ModelRefused(f"leaf_count in {where}", "none")
    split = rows["split_feature"]
    if ((split < 0) | (split >= features) | (split != np.floor(split))).any():
        raise ModelRefused(f"split features of {where} between 0 and {features - 1}", "another one")
    kind = rows["decision_type"]
    if ((kind < 0) | (kind > 15) | (kind != np.floor(kind))).any():
        raise ModelRefused(f"decision types of {where} between 0 and 15", "another one")
    _walk(rows["left_child"], rows["right_child"], leaves, where)
    _check_categories(tree, rows["threshold"][kind.astype(int) % 2 == 1], cats, where)


def _row(tree: Mapping[str, str], name: str, length: int, where: str) -> np.ndarray:
    parts = tree.get(name, "").split(" ")
    if len(parts) != length:
        raise ModelRefused(f"{length} entries in “{name}” of {where}", str(len(parts)))
    return np.array([_real(part, f"“{name}” of {where}") for part in parts])


def _real(text: str, what: str) -> float:
    if not _REAL.fullmatch(text):
        raise ModelRefused(f"{what} as numbers", f"“{text[:30]}”")
    value = float(text)
    if math.isnan(value):
        raise ModelRefused(f"{what} as numbers", "NaN")
    return value


def _walk(left: np.ndarray, right: np.ndarray, leaves: int, where: str) -> None:
    """Children below zero are leaves (`~child`); every inner node but the root and every leaf must be met exactly once."""
    children = np.concatenate([left, right])
    if (children != np.floor(children)).any() or (children >= leaves - 1).any() or (children < -leaves).any():
        raise ModelRefused(f"children of {where} within it", "an index outside")
    inner = np.sort(children[children >= 0])
    ends = np.sort(-children[children < 0] - 1)
    if not np.array_equal(inner, np.arange(1, leaves - 1)) or not np.array_equal(ends, np.arange(leaves)):
        raise ModelRefused(f"each node and leaf of {where} below one parent only", "a cycle, a shared or a lost node")
    level, met = np.array([0]), 0
    for _ in range(MAX_DEPTH + 1):
        met += len(level)
        both = np.concatenate([left[level], right[level]])
        level = both[both >= 0].astype(int)
        if len(level) == 0:
            break
    if met != leaves - 1:
        raise ModelRefused(f"{where} as one tree at most {MAX_DEPTH} levels deep", "a cycle or a deeper one")


def _check_categories(tree: Mapping[str, str], index: np.ndarray, cats: int, where: str) -> None:
    if cats == 0:
        if len(index):
            raise ModelRefused(f"categories for the categorical splits of {where}", "none")
        return
    bounds = _row(tree, "cat_boundaries", cats + 1, where)
    if bounds[0] != 0 or (np.diff(bounds) <= 0).any() or bounds[-1] > 10_000_000 or (bounds != np.floor(bounds)).any():
        raise ModelRefused(f"rising cat_boundaries in {where}", "others")
    words = _row(tree, "cat_threshold", int(bounds[-1]), where)
    if ((words < 0) | (words > 2**32 - 1) | (words != np.floor(words))).any():
        raise ModelRefused(f"32-bit words in cat_threshold of {where}", "others")
    if ((index < 0) | (index >= cats) | (index != np.floor(index))).any():
        raise ModelRefused(f"categorical splits of {where} below {cats}", "another one")


def _pandas_categories(text: str) -> tuple[tuple[object, ...], ...]:
    at = text.rfind("\npandas_categorical:")
    if at < 0:
        return ()
    try:
        found = json.loads(text[at + len("\npandas_categorical:") :])
    except ValueError as error:
        raise ModelRefused("pandas_categorical as JSON", str(error)[:80]) from error
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(levels, list) for levels in found):
        raise ModelRefused("pandas_categorical as lists of levels", "something else")
    return tuple(tuple(levels) for levels in found)
