"""Graph face, the directory's resources: parse, call one service function, render (reference section 11)."""
