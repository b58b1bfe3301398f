"""What policies reach in every task of one agent: ``python -m experiments.catalogue`` makes the table of the catalogue.

Played are random, waiting, the best constant and the clock-only policy that ``marl-health check`` found and
committed, the reference rule, an optimum that is known, one-step look-ahead, and PPO after a small budget; all of them
on the same patients, whose seeds no search, no check and no training has met. The table says by how much each differs
from the rule, and which share of the way from random to the rule it went.

What was played is kept in a folder (``--out``) by the scenario's hash and the policy, so the command goes on where it
was killed; who changes the code of a policy, not its scenario, removes that folder. PPO is trained as experiments are.
"""
