"""Pictures of what a scenario's simulation did, for people who run hospitals."""
