"""Reference rules: one readable module per scenario, one class per role."""
