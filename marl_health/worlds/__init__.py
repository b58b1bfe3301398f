"""Worlds: one folder for each kind, with its own models, compiler and simulation."""
