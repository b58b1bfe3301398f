"""What common random numbers gain: how much less the difference of two policies varies on the same patients.

A ratio is low for one of two reasons. Either the pairing is lost on the way: then it is low for any two policies, also
for two that do nearly the same. Or the effect of a policy differs from episode to episode, which no pairing removes. A
lever that hardly matters tells one from the other:
``python -m experiments.pairing --policies "wait,constant:imaging_coordinator=call in 1 porter"``.
"""
