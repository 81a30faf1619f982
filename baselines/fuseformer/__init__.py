"""FuseFormer: a card only."""
