"""The window of DendView: it shows and computes nothing."""
