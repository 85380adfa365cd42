"""Whole files or none, for exports: see :mod:`engine.atomic`."""

from engine.atomic import written_aside

__all__ = ["written_aside"]
