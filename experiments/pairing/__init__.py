"""What common random numbers gain: how much less the difference of two policies varies on the same patients.

``python -m experiments.pairing`` prints it for `wait` and `rule` on hospital_throughput. A ratio is low for one of two
reasons. Either the pairing is lost on the way: then it is low for any two policies, also for two that do nearly the
same. Or the effect of a policy differs from episode to episode, which no pairing removes. A policy that hardly differs
from the reference (``--hardly``) tells one from the other.
"""
