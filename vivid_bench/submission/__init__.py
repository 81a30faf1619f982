"""Submissions: a method's finished runs as one archive, and its checking by somebody who trusts none of it."""
