// What act tells its user when something is wrong: plain data, made where the wording is, shown by `DiagnosticRenderer`.
//
// What must stay true: titles name the fault in the user's terms, start in lower case and end without a full stop;
// a help is something to do, if possible text to paste; where it says exactly what to write, the edits do it.

/// An error, warning or note with the places it is about.
package struct Diagnostic: Error, Equatable, Sendable {
    package enum Level: String, Sendable { case error, warning, note }

    /// A marked place, with a few words about it or none.
    package struct Label: Equatable, Sendable {
        package var span: Span
        package var text: String
        /// The primary label gives the position line; every diagnostic with labels has exactly one.
        package var isPrimary: Bool

        package init(_ span: Span, _ text: String = "", isPrimary: Bool = false) {
            self.span = span
            self.text = text
            self.isPrimary = isPrimary
        }
    }

    /// A function that was running, and where it was called.
    package struct Call: Equatable, Sendable {
        package var name: String
        package var span: Span

        package init(name: String, span: Span) {
            self.name = name
            self.span = span
        }
    }

    /// A piece of a source to be replaced; an empty piece is a place to insert at.
    package struct Edit: Equatable, Sendable {
        package var span: Span
        package var replacement: String

        package init(_ span: Span, _ replacement: String) {
            self.span = span
            self.replacement = replacement
        }

        /// - Parameter place: a span of the source that `offset` counts in.
        package static func insertion(_ text: String, at offset: Int32, in place: Span) -> Edit {
            Edit(Span(source: place.source, start: offset, end: offset), text)
        }
    }

    package var code: Code
    package var level: Level
    package var title: String
    package var labels: [Label]
    package var notes: [String]
    package var help: String?
    /// What does as the help says, in source order and apart from each other; empty where that is for a person to decide.
    package var edits: [Edit]
    /// What may have been meant by the name at `primarySpan`, where that is one of several: `edits` is empty then.
    package var alternatives: [String] = []
    /// Innermost call first.
    package var callChain: [Call]

    @inline(never)
    package init(
        _ code: Code, _ title: String, labels: [Label] = [], notes: [String] = [], help: String? = nil,
        edits: [Edit] = [], callChain: [Call] = []
    ) {
        self.code = code
        level = code.level
        self.title = title
        self.labels = labels
        self.notes = notes
        self.help = help
        self.edits = edits
        self.callChain = callChain
    }

    /// An error about one place.
    @inline(never)
    package init(_ code: Code, _ title: String, at span: Span, _ text: String = "", help: String? = nil, edits: [Edit] = []) {
        self.init(code, title, labels: [Label(span, text, isPrimary: true)], help: help, edits: edits)
    }

    /// Whether something else than what the edits write may have been meant: the help is a question then.
    package var isGuess: Bool { help?.hasPrefix("did you mean") ?? false }

    package var primarySpan: Span? { (labels.first { $0.isPrimary } ?? labels.first)?.span }
}
