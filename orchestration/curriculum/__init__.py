"""Stages of training: when to move on, when to go back."""
