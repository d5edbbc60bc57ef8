"""Statistics of the collectors: pure numpy and scipy, each with its source and a published figure in the tests."""
