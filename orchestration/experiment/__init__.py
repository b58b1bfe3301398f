"""Experiments: what is to be trained on what, for how long, how often, and how it is judged."""
