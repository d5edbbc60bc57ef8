"""Collectors of the tests: trivial, slow, broken and poisoned ones, run by the real engine in real child processes."""
