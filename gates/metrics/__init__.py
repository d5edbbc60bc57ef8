"""Collectors: measure once, slowly, in a child process. The only place that imports fairlearn, shap, sklearn, duckdb,
onnxruntime."""
