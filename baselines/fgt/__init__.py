"""FGT: a card only."""
