"""Learning with RLlib: modules, learners and algorithms."""
