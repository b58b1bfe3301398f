"""Experiment specifications, calibration and published results."""
