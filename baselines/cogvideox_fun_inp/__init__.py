"""CogVideoX-Fun InP, run as a program of its own environment."""
