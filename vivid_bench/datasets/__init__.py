"""Readers of on-disk layouts, one file each."""
