"""The VIVID model: a reference implementation that trains and runs."""
