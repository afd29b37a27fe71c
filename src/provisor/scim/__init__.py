"""Floor 1: the SCIM protocol (RFC 7643, RFC 7644, RFC 9865) as pure functions over plain dicts, without I/O.

One module per chapter:

    schemas     attributes, schemas, resource types; what a path's text names       RFC 7643 sections 2, 3, 7
    discovery   /Schemas, /ResourceTypes, /ServiceProviderConfig as they are answered    RFC 7643 sections 5-7
    dialect     what a server tolerates, as data (dialects/*.toml)
    values      what the text of a simple value says                                 RFC 7643 section 2.3
    coercion    checks of values, compiled from the schema
    validate    whole bodies of POST and PUT                                         RFC 7644 sections 3.3, 3.5.1
    filters     the filter language: text to tree and back                           RFC 7644 section 3.4.2.2
    resolution  a parsed filter bound to a resource type's attributes
    predicates  a bound filter as a function over one resource
    paths       the path of a PATCH operation                                        RFC 7644 section 3.5.2
    operations  the message of a PATCH                                               RFC 7644 section 3.5.2
    patch       its operations applied to a document (draft, elements: their tools)
    members     members of groups, which are rows and never inside a document
    projection  ``attributes`` and ``excludedAttributes``                            RFC 7644 section 3.9
    messages    envelopes: lists, searches, patches, bulk; ETags                     RFC 7644 sections 3, 8.2
    errors      one class per keyword                                                RFC 7644 section 3.12
"""
