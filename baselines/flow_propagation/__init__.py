"""The flow-propagation baseline."""
