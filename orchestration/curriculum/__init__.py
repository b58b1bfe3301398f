"""Stages of training: `machine` decides when to move on and when to go back, `reading` makes them of YAML."""
