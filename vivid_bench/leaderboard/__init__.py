"""Leaderboards made from run records."""
