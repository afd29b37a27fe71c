"""Processing: the attribute-mapping language. Pure: text goes in, an `Expression` comes out, values come of it.

    text ─▶ parser.parse ─▶ tree ─▶ compile.compile ─▶ Expression.evaluate(get, context) ─▶ value
                             │ ▲
             source.to_source▼ │source.from_source
                     attributeMappingSource (JSON)

`functions/` is the table of functions: a new one is one more entry there. `dotnet_regex` and `dotnet_dates` speak
.NET's regular expressions and date formats, also for the scoping filters.
"""
