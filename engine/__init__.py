"""The simulation engine: morphologies, compartments, schedules, mechanisms and runs. It knows no window."""

__version__ = "0.1.0"
