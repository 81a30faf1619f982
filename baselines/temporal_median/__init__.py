"""The temporal-median baseline."""
