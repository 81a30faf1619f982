"""The biharmonic baseline."""
