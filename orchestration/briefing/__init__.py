"""The report for those who run a hospital: what policies would change, in plain words and with how much certainty."""
