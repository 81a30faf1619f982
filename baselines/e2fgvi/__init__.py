"""E2FGVI-HQ: a card only."""
