"""XGBoost JSON and UBJSON: every index is checked before the native library sees the bytes.

XGBoost trusts its model files: one child index outside its tree or a cycle ends the process (its security page says to
isolate it). So the structure is read here first, refused when it is not a proper set of trees, and only what was checked
is handed on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gates.readers.models_recognise import ModelFormat
from gates.readers.models_refusal import ModelRefused, whole
from gates.readers.models_ubjson import decode

MAX_FEATURES = 20_000
MAX_TREES = 50_000
MAX_DEPTH = 300
_ARRAYS = (
    "left_children",
    "right_children",
    "parents",
    "split_indices",
    "split_conditions",
    "default_left",
    "sum_hessian",
    "base_weights",
    "loss_changes",
    "split_type",
)
_NO_PARENT = 2**31 - 1
_CATEGORY_ARRAYS = ("categories", "categories_nodes", "categories_segments", "categories_sizes")


def checked_document(path: str | Path, found: ModelFormat) -> tuple[dict[str, Any], bytes]:
    """Read and check the file; return the parsed document and its JSON bytes, which are what XGBoost gets.

    The bytes are written again from what was checked, so that XGBoost's own parsers cannot see anything else (its UBJSON reader
    ends the process on types it does not expect). `ModelRefused` names what is wrong.
    """
    data = Path(path).read_bytes()
    document = decode(data) if found is ModelFormat.XGBOOST_UBJ else _json(data)
    check(document)
    return document, json.dumps(document, default=_plain).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise ModelRefused("plain values", type(value).__name__)


def check(document: Any) -> None:
    """Refuse a document whose trees, categories or counts do not hold together."""
    learner = _mapping(_mapping(document, "the model").get("learner"), "learner")
    param = _mapping(learner.get("learner_model_param"), "learner_model_param")
    features = whole(param.get("num_feature"), "num_feature", 1, MAX_FEATURES)
    classes = max(1, whole(param.get("num_class", "0"), "num_class", 0, 10_000))
    if whole(param.get("num_target", "1"), "num_target", 0, 10_000) > 1:
        raise ModelRefused("a model with one target", "several targets")
    for name in ("feature_names", "feature_types"):
        given = learner.get(name, [])
        if len(given) not in (0, features):
            raise ModelRefused(f"{features} {name}", str(len(given)))
    booster = _mapping(learner.get("gradient_booster"), "gradient_booster")
    kind = booster.get("name")
    if kind == "gblinear":
        _check_linear(booster, features, classes)
        return
    if kind not in ("gbtree", "dart"):
        raise ModelRefused("a gbtree, dart or gblinear booster", f"“{str(kind)[:40]}”")
    trees_of = _mapping(booster.get("gbtree"), "gbtree") if kind == "dart" else booster
    model = _mapping(trees_of.get("model"), "model")
    count = _check_forest(model, features, classes)
    if kind == "dart" and len(booster.get("weight_drop", [])) != count:
        raise ModelRefused(f"{count} dart weights", str(len(booster.get("weight_drop", []))))


def _json(data: bytes) -> Any:
    def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise ModelRefused("each name once", f"“{key[:60]}” twice")
            found[key] = value
        return found

    try:
        return json.loads(data, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise ModelRefused("a complete JSON document", str(error)[:120]) from error


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ModelRefused(f"“{what}” as an object", type(value).__name__)
    return value


def _numbers(tree: Mapping[str, Any], name: str, dtype: type) -> np.ndarray:
    try:
        values = np.asarray(tree[name])
        numbers: np.ndarray = values.astype(dtype)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelRefused(f"“{name}” as a list of numbers", "something else or nothing") from error
    if (
        numbers.ndim != 1
        or (len(values) and values.dtype.kind not in "iufb")
        or (dtype is np.int64 and not np.array_equal(numbers, values))
    ):
        raise ModelRefused(f"“{name}” as a flat list of numbers", "something else")
    return numbers


def _check_forest(model: Mapping[str, Any], features: int, classes: int) -> int:
    trees = model.get("trees")
    if not isinstance(trees, list):
        raise ModelRefused("a list of trees", type(trees).__name__)
    declared = whole(_mapping(model.get("gbtree_model_param"), "gbtree_model_param").get("num_trees"), "num_trees", 0, MAX_TREES)
    if declared != len(trees):
        raise ModelRefused(f"{declared} trees as num_trees says", str(len(trees)))
    info = _numbers(model, "tree_info", np.int64)
    if len(info) != len(trees) or ((info < 0) | (info >= classes)).any():
        raise ModelRefused("one class index for each tree", "tree_info that does not fit")
    if "iteration_indptr" in model:
        steps = _numbers(model, "iteration_indptr", np.int64)
        if len(steps) == 0 or steps[0] != 0 or steps[-1] != len(trees) or (np.diff(steps) < 0).any():
            raise ModelRefused("rounds that cover all trees", "iteration_indptr that does not fit")
    if "cats" in model:
        _check_cats(_mapping(model["cats"], "cats"), features)
    for number, tree in enumerate(trees):
        _check_tree(_mapping(tree, f"tree {number}"), number, features)
    return len(trees)


def _check_tree(tree: Mapping[str, Any], number: int, features: int) -> None:
    param = _mapping(tree.get("tree_param"), f"tree {number} tree_param")
    nodes = whole(param.get("num_nodes"), f"num_nodes of tree {number}", 1, 5_000_000)
    deleted = whole(param.get("num_deleted", "0"), f"num_deleted of tree {number}", 0, nodes)
    if whole(param.get("num_feature"), f"num_feature of tree {number}", 0, MAX_FEATURES) not in (0, features):
        raise ModelRefused(f"{features} features in tree {number}", str(param.get("num_feature")))
    if whole(param.get("size_leaf_vector", "1"), f"size_leaf_vector of tree {number}", 0, 10_000) > 1:
        raise ModelRefused("one number in each leaf", "vector leaves")
    whole(tree.get("id", number), f"id of tree {number}", 0, MAX_TREES)
    for name in _ARRAYS:
        length = len(_numbers(tree, name, np.float64))
        if length != nodes:
            raise ModelRefused(f"{nodes} entries in “{name}” of tree {number}", str(length))
    left, right = _numbers(tree, "left_children", np.int64), _numbers(tree, "right_children", np.int64)
    reached = walk(left, right, nodes, f"tree {number}", MAX_DEPTH)
    if len(reached) + deleted != nodes:
        raise ModelRefused(f"every node of tree {number} reachable from its root", f"{nodes - len(reached)} that are not")
    inner = reached[left[reached] >= 0]
    parents = _numbers(tree, "parents", np.int64)
    if (parents[left[inner]] != inner).any() or (parents[right[inner]] != inner).any() or 0 <= parents[0] < _NO_PARENT:
        raise ModelRefused(f"parents of tree {number} that agree with the children", "others")
    split = _numbers(tree, "split_indices", np.int64)[inner]
    if ((split < 0) | (split >= features)).any():
        raise ModelRefused(f"split features of tree {number} between 0 and {features - 1}", f"{split.max()} or a negative one")
    leaves = reached[left[reached] < 0]
    if not np.isfinite(_numbers(tree, "split_conditions", np.float64)[leaves]).all():
        raise ModelRefused(f"finite leaf values in tree {number}", "NaN or infinity")
    _check_categories(tree, number, nodes, inner)


def walk(left: np.ndarray, right: np.ndarray, nodes: int, where: str, deepest: int) -> np.ndarray:
    """Follow both children from node 0, level by level; refuse indices outside, a single child, a node met twice, or too
    deep a tree.
    """
    seen = np.zeros(nodes, dtype=bool)
    seen[0] = True
    level, reached = np.array([0]), [np.array([0])]
    for _ in range(deepest + 1):
        a, b = left[level], right[level]
        if ((a < 0) != (b < 0)).any() or (a < -1).any() or (b < -1).any():
            raise ModelRefused(f"two children or none for each node of {where}", "one child or a wrong marker")
        level = np.concatenate([a[a >= 0], b[b >= 0]])
        if len(level) == 0:
            return np.concatenate(reached)
        if (level >= nodes).any():
            raise ModelRefused(f"children of {where} below {nodes}", f"child {level.max()}")
        if len(np.unique(level)) != len(level) or seen[level].any():
            raise ModelRefused(f"each node of {where} below one parent only", "a cycle or a shared node")
        seen[level] = True
        reached.append(level)
    raise ModelRefused(f"{where} at most {deepest} levels deep", "a deeper one")


def _check_categories(tree: Mapping[str, Any], number: int, nodes: int, inner: np.ndarray) -> None:
    if not any(len(tree.get(name, ())) for name in _CATEGORY_ARRAYS):
        if (_numbers(tree, "split_type", np.int64)[inner] != 0).any():
            raise ModelRefused(f"categories for the categorical splits of tree {number}", "none")
        return
    values, at, start, size = (_numbers(tree, name, np.int64) for name in _CATEGORY_ARRAYS)
    wanted = np.sort(inner[_numbers(tree, "split_type", np.int64)[inner] == 1])
    fits = (
        len(at) == len(start) == len(size)
        and np.array_equal(at, wanted)
        and (at < nodes).all()
        and (start >= 0).all()
        and (size > 0).all()
        and (start + size <= len(values)).all()
        and ((values >= 0) & (values < 2**24)).all()
    )
    if not fits:
        raise ModelRefused(f"category lists of tree {number} that lie within their table", "lists that do not fit")


def _check_cats(cats: Mapping[str, Any], features: int) -> None:
    """The table that re-codes categories (XGBoost 3.1 and newer)."""
    enc = cats.get("enc", [])
    if not isinstance(enc, list):
        raise ModelRefused("“enc” as a list", type(enc).__name__)
    if not enc:
        return
    segments, order = _numbers(cats, "feature_segments", np.int64), _numbers(cats, "sorted_idx", np.int64)
    if (
        len(enc) != features
        or len(segments) != features + 1
        or segments[0] != 0
        or segments[-1] != len(order)
        or (np.diff(segments) < 0).any()
    ):
        raise ModelRefused("a category table for each feature", "feature_segments that do not fit")
    for index, column in enumerate(enc):
        entry = _mapping(column, f"enc {index}")
        size = int(segments[index + 1] - segments[index])
        if "offsets" in entry:
            offsets = _numbers(entry, "offsets", np.int64)
            good = (len(offsets) == 0 and size == 0) or (
                len(offsets) == size + 1
                and offsets[0] == 0
                and (np.diff(offsets) >= 0).all()
                and offsets[-1] == len(entry.get("values", ()))
            )
        else:
            good = len(entry.get("values", ())) == size
        part = order[segments[index] : segments[index + 1]]
        if not good or not np.array_equal(np.sort(part), np.arange(size)):
            raise ModelRefused(f"a category table of feature {index} that holds together", "one that does not")


def _check_linear(booster: Mapping[str, Any], features: int, classes: int) -> None:
    weights = _numbers(_mapping(booster.get("model"), "model"), "weights", np.float64)
    if len(weights) != (features + 1) * classes or not np.isfinite(weights).all():
        raise ModelRefused(f"{(features + 1) * classes} finite weights", str(len(weights)))
