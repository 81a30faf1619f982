"""The paper's tables: figures measured here beside figures that others published, each marked as what it is."""
