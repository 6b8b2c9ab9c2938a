// Values, built-ins, sources and diagnostics are part of what the language hands out: whoever imports it has them.

@_exported import ActBuiltins
@_exported import ActLayers
@_exported import ActMachine
@_exported import ActSyntax
