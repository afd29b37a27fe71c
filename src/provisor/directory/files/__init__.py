"""Source of every flow, files: Entra's bulk-create, bulk-import-members and download-users CSV, in and out.

    bytes ─▶ encoding ─▶ records ─▶ columns ─▶ rows ─▶ importing ─▶ service
             text        cells      what each  values   all faults, or
             per line    per line   one means           nothing, then chunks

``exporting`` goes the other way. A fault in a file is a value (``report.FileFault``) and not an exception, for every
one of them is to be told.
"""
