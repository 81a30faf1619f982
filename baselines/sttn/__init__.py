"""STTN: a card only."""
