"""The Telea baseline."""
