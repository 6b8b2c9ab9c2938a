// What the compiler finds wrong, in words.

extension Diagnostic {
    package static func notOwnVariable(_ name: String, _ span: Span) -> Diagnostic {
        Diagnostic(
            .notOwnVariable, "`\(name)` is not a variable of this function, so it cannot be changed here",
            labels: [Label(span, "belongs to the code around the function", isPrimary: true)],
            help: "copy it to a variable of the function first, as in `mine = \(name)`, change that and return it")
    }

    /// `function(variable) = value`, where a variable was to be changed.
    package static func assignmentToCall(_ function: String, of variable: String, _ value: String, _ span: Span) -> Diagnostic {
        let change =
            function == "parameters"
            ? "parameters are put into a network by `\(variable) = unflatten(flatten(\(value.count <= 30 ? value : "…")), \(variable))`, or one by one as in `\(variable)[0].W = …`"
            : "a changed value is given to its variable, `\(variable) = …`; a function of your own needs another name"
        return Diagnostic(
            .badTarget, "this defines a function `\(function)` that makes nothing of `\(variable)`, in place of the built-in one",
            labels: [Label(span, "a call cannot be assigned to", isPrimary: true)], help: change)
    }

    package static func tooLarge(_ span: Span) -> Diagnostic {
        Diagnostic(
            .functionTooLarge, "this function is too large to compile",
            labels: [Label(span, "too many different calls up to here", isPrimary: true)],
            help: "split it into smaller functions")
    }
}
