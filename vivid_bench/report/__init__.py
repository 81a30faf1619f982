"""One method's page: where it is strong and weak, its worst clips as pictures, and controls for scale."""
