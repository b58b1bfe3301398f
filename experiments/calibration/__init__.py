"""Fits a scenario's free parameters to published figures, and checks it on figures that were held out.

What to fit to and what may move stand in a YAML file, ``experiments/calibration/NAME.yaml`` for a packaged scenario or
one of your own. ``README.md`` says how to write it, and what the commands do.
"""
