"""Runs the worlds: training, evaluation, result store and the command line."""
