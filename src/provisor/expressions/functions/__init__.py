"""Processing: the functions of the mapping language, one table entry each, in one module per group.

`all.FUNCTIONS` is the table. An entry says the name, the parameters, what it does, examples (which run as tests), and
how a call is compiled.
"""
