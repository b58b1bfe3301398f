"""Policies: anything that maps observations to actions (rules, look-ahead, learned modules)."""
