"""Builders of splits."""
