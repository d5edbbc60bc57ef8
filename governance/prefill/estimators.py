"""Names of frameworks and model classes, and which names say what the model really is.

A pipeline, a search or a booster is a wrapper: two of them may hold quite different models, so a wrapper's name never proves
that the
architecture stayed the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

FRAMEWORKS: Mapping[str, str] = {
    "sklearn": "scikit-learn",
    "scikit-learn": "scikit-learn",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "pytorch": "pytorch",
    "torch": "pytorch",
    "tensorflow": "tensorflow",
    "keras": "keras",
    "onnx": "onnx",
    "transformers": "transformers",
    "sentence_transformers": "sentence-transformers",
    "statsmodels": "statsmodels",
    "prophet": "prophet",
    "pmdarima": "pmdarima",
    "spark": "spark",
    "h2o": "h2o",
    "spacy": "spacy",
    "fastai": "fastai",
    "paddle": "paddle",
    "mleap": "mleap",
    "openai": "openai",
    "langchain": "langchain",
    "diviner": "diviner",
    "johnsnowlabs": "johnsnowlabs",
    "crate": "r",
    "timm": "timm",
    "peft": "peft",
    "diffusers": "diffusers",
    "skops": "scikit-learn",
}

_WRAPPERS = frozenset(
    [
        "Pipeline",
        "GridSearchCV",
        "RandomizedSearchCV",
        "HalvingGridSearchCV",
        "HalvingRandomSearchCV",
        "CalibratedClassifierCV",
        "StackingClassifier",
        "StackingRegressor",
        "VotingClassifier",
        "VotingRegressor",
        "BaggingClassifier",
        "BaggingRegressor",
        "ColumnTransformer",
        "FeatureUnion",
        "OneVsRestClassifier",
        "OneVsOneClassifier",
        "MultiOutputClassifier",
        "MultiOutputRegressor",
        "ClassifierChain",
        "RegressorChain",
        "FixedThresholdClassifier",
        "TunedThresholdClassifierCV",
        "TransformedTargetRegressor",
        "SelfTrainingClassifier",
        "FrozenEstimator",
        "AdaBoostClassifier",
        "AdaBoostRegressor",
        "ThresholdOptimizer",
        "ExponentiatedGradient",
        "GridSearch",
        "Booster",
        "Module",
        "Sequential",
        "Functional",
        "Model",
        "PythonModel",
        "PyFuncModel",
        "PipelineModel",
    ]
)
NOT_STATED = "(class not stated)"

_HALLMARKS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "LogisticRegression": (
        frozenset(
            [
                "C",
                "class_weight",
                "dual",
                "fit_intercept",
                "intercept_scaling",
                "max_iter",
                "penalty",
                "random_state",
                "solver",
                "tol",
                "verbose",
                "warm_start",
            ]
        ),
        frozenset({"Cs", "loss"}),
    ),
    "GradientBoostingClassifier": (
        frozenset(
            [
                "init",
                "learning_rate",
                "n_estimators",
                "subsample",
                "validation_fraction",
                "max_depth",
                "ccp_alpha",
                "n_iter_no_change",
            ]
        ),
        frozenset({"alpha"}),
    ),
    "HistGradientBoostingClassifier": (
        frozenset(
            [
                "categorical_features",
                "class_weight",
                "early_stopping",
                "l2_regularization",
                "max_bins",
                "monotonic_cst",
                "scoring",
            ]
        ),
        frozenset({"quantile"}),
    ),
}


def framework_name(flavor: str) -> str | None:
    """The framework a flavor or library name stands for, or None when it is not known."""
    return FRAMEWORKS.get(flavor.strip().lower())


def class_name(dotted: str) -> str:
    """`xgboost.sklearn.XGBClassifier` -> `XGBClassifier`."""
    return dotted.strip().rsplit(".", 1)[-1]


def is_specific(architecture: str) -> bool:
    """Whether the name says what the model is, so that an equal name proves an equal architecture."""
    return bool(architecture.strip()) and not architecture.endswith(NOT_STATED) and class_name(architecture) not in _WRAPPERS


def class_from_parameters(names: Collection[str]) -> str | None:
    """The scikit-learn class whose constructor parameters are all among `names`, where that leaves exactly one; else None.

    MLflow's autologging writes `get_params()` of the estimator, so the full set is there. Classes that share their parameters
    (random
    forest and extra trees) cannot be told apart and give None.
    """
    found = [name for name, (needed, absent) in _HALLMARKS.items() if needed <= set(names) and not absent & set(names)]
    return found[0] if len(found) == 1 else None
