// What the compiler finds wrong, in words.

import ActSyntax

extension Diagnostic {
    package static func notOwnVariable(_ name: String, _ span: Span) -> Diagnostic {
        Diagnostic(
            .notOwnVariable, "`\(name)` is not a variable of this function, so it cannot be changed here",
            labels: [Label(span, "belongs to the code around the function", isPrimary: true)],
            help: "copy it to a variable of the function first, as in `mine = \(name)`, change that and return it")
    }

    package static func tooLarge(_ span: Span) -> Diagnostic {
        Diagnostic(
            .functionTooLarge, "this function is too large to compile",
            labels: [Label(span, "too many different calls up to here", isPrimary: true)],
            help: "split it into smaller functions")
    }
}
