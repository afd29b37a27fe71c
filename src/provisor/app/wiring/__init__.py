"""Start-up: how each part of the program is made, once per process, when it is first asked for."""
