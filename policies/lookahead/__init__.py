"""Look-ahead: try the reference rule's alternatives in futures drawn anew, and take what is clearly better."""

from policies.lookahead.policy import LookaheadPolicy

__all__ = ["LookaheadPolicy"]
