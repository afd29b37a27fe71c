"""OData's query options as Microsoft Graph takes them: parsed, checked against a type, evaluated. Pure, no I/O."""
