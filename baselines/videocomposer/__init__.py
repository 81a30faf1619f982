"""VideoComposer: a card only."""
