// Sources, places and diagnostics are part of what the language hands out: whoever imports it has them.

@_exported import ActSyntax
