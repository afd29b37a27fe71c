"""The HTTP faces, thin: they parse a request, call one service function, and render its answer."""
