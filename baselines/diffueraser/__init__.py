"""DiffuEraser, run as a program of its own environment."""
