"""The commands, thin: parse, call one service function, render. One module per noun; ``main.py`` puts them together.

Modules that take long to load (SQLAlchemy, aiohttp, DBOS, uvicorn) are imported inside the functions that need them, so
that ``provisor --help`` and the simple commands answer at once.
"""
