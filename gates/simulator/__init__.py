"""Seeded portfolios with known truth: a lender's, a shop's and a hospital's.

Everything is generated from written-down equations, so that disparity, drift, leakage and explanation change are known before
a gate
measures them. Used by the demo and by tests. Imports numpy and scikit-learn: never imported by the web process.
"""
