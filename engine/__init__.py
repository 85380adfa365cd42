"""The simulation engine, from morphologies to runs. It knows no window."""

__version__ = "0.1.0"
