"""Suites: pinned splits and, for the mini suite, the clips themselves."""
