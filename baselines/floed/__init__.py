"""FloED: a card only."""
