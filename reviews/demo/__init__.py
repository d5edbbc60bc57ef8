"""The demo organisation: a lender, a shop and a hospital under one roof, with everybody who works on their models."""
