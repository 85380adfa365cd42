"""Whole experiments made of runs or solves."""
