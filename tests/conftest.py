"""Settings that every test shares."""

from hypothesis import settings

# The same examples on every run and machine: a failure can be repeated, and a slow machine is not a failure.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
