"""Results as files: written aside and renamed, so that a file is whole or not there."""

from engine.exporting.csv import TraceTable, export_spikes_csv, export_traces_csv, read_traces_csv
from engine.exporting.hdf5 import export_traces_hdf5, read_traces_hdf5
from engine.exporting.schedule import export_schedule_csv, export_schedule_json

__all__ = [
    "TraceTable",
    "export_schedule_csv",
    "export_schedule_json",
    "export_spikes_csv",
    "export_traces_csv",
    "export_traces_hdf5",
    "read_traces_csv",
    "read_traces_hdf5",
]
