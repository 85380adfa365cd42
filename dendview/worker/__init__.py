"""The engine in a process of its own, and the pipe to it: a crash there never takes the window."""
