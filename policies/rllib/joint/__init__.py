"""Off-policy learning from joint transitions: what every agent saw, did and got in one and the same step."""
