"""The commands of `marl-health`, and what they share."""
