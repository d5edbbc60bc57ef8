"""skops: scikit-learn models without pickle, opened with a fixed list of allowed types.

`trusted` is never taken from the file (that would trust whatever it asks for). Trees are checked after loading and before
the first prediction, because scikit-learn walks their child indices without looking.
"""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gates.readers.models_refusal import ModelRefused

# Types beyond skops' own list that hold numbers only. Boosters of other libraries are left out: they have safer formats
# of their own.
ALLOWED = (
    "collections.OrderedDict",
    "numpy.dtype",
    "sklearn.compose._column_transformer._RemainderColsList",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
)
MAX_ENTRIES = 20_000
MAX_BYTES = 1024**3
MAX_RATIO = 100


def opened(path: str | Path) -> Any:
    """Return the estimator in the file, or raise ModelRefused: damaged, too large, or with types outside the list."""
    _check_zip(Path(path))
    import skops.io  # noqa: PLC0415 (brings scikit-learn; only where a model of this format is opened)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a different scikit-learn version is said by the caller, not on stderr
        try:
            asked = skops.io.get_untrusted_types(file=str(path))
            foreign = sorted(set(asked) - set(ALLOWED))
            if foreign:
                raise ModelRefused(
                    "scikit-learn types only",
                    ", ".join(foreign)[:200],
                    "Export boosters in their own format (UBJSON or LightGBM text) and other models as ONNX.",
                )
            estimator = skops.io.load(str(path), trusted=[name for name in ALLOWED if name in asked])
        except ModelRefused:
            raise
        except Exception as error:  # skops and scikit-learn raise what the damage happens to cause
            raise ModelRefused("a skops file that opens", f"{type(error).__name__}: {str(error)[:160]}") from error
    for tree in _trees(estimator, 0, set()):
        _check_tree(tree)
    return estimator


def _check_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            packed = sum(item.compress_size for item in entries)
            unpacked = sum(item.file_size for item in entries)
            if len(entries) > MAX_ENTRIES or unpacked > MAX_BYTES or unpacked > MAX_RATIO * max(packed, 10_000):
                raise ModelRefused(
                    "a file that unpacks to a reasonable size", f"{len(entries)} entries, {unpacked} bytes from {packed}"
                )
            json.loads(archive.read("schema.json"))
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError, NotImplementedError, OSError) as error:
        raise ModelRefused("a whole skops file", str(error)[:120]) from error


def _trees(value: Any, depth: int, seen: set[int]) -> Iterator[Any]:
    """Every fitted tree inside an estimator, however it is nested."""
    if depth > 12 or id(value) in seen:
        return
    seen.add(id(value))
    if type(value).__name__ in ("Tree", "TreePredictor"):
        yield value
        return
    if isinstance(value, dict):
        parts: Any = value.values()
    elif isinstance(value, list | tuple):
        parts = value
    elif type(value).__name__ == "ndarray":
        parts = value.ravel().tolist() if value.dtype == object else ()
    else:
        parts = vars(value).values() if hasattr(value, "__dict__") and type(value).__module__.startswith("sklearn") else ()
    for part in parts:
        if not isinstance(part, str | int | float | bool | None):
            yield from _trees(part, depth + 1, seen)


def _check_tree(tree: Any) -> None:
    import numpy as np  # noqa: PLC0415

    from gates.readers.models_xgboost import walk  # noqa: PLC0415

    if type(tree).__name__ == "Tree":
        left, right, split = (
            np.asarray(part, dtype=np.int64) for part in (tree.children_left, tree.children_right, tree.feature)
        )
        walk(left, right, len(left), "a scikit-learn tree", 2_000)
        if (split[left >= 0] < 0).any() or (split[left >= 0] >= tree.n_features).any():
            raise ModelRefused("split features of a scikit-learn tree within its features", "another one")
        return
    nodes = tree.nodes
    inner = ~nodes["is_leaf"].astype(bool)
    left = np.where(inner, nodes["left"].astype(np.int64), -1)
    right = np.where(inner, nodes["right"].astype(np.int64), -1)
    walk(left, right, len(left), "a histogram tree", 2_000)
    bits = len(tree.raw_left_cat_bitsets) if tree.raw_left_cat_bitsets is not None else 0
    categorical = nodes["is_categorical"].astype(bool) & inner
    if (nodes["feature_idx"][inner] < 0).any() or (nodes["bitset_idx"][categorical] >= bits).any():
        raise ModelRefused("splits of a histogram tree within its features and categories", "another one")
