// What act tells its user when something is wrong: plain data, made where the wording is, shown by `DiagnosticRenderer`.
//
// What must stay true: titles name the fault in the user's terms, start in lower case and end without a full stop;
// a help is something to do, if possible text to paste.

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

    package var level: Level
    package var title: String
    package var labels: [Label]
    package var notes: [String]
    package var help: String?
    /// Innermost call first.
    package var callChain: [Call]

    package init(
        _ level: Level = .error, _ title: String, labels: [Label] = [], notes: [String] = [], help: String? = nil,
        callChain: [Call] = []
    ) {
        self.level = level
        self.title = title
        self.labels = labels
        self.notes = notes
        self.help = help
        self.callChain = callChain
    }

    /// An error about one place.
    package init(_ title: String, at span: Span, _ text: String = "", help: String? = nil) {
        self.init(.error, title, labels: [Label(span, text, isPrimary: true)], help: help)
    }

    package var primarySpan: Span? { (labels.first { $0.isPrimary } ?? labels.first)?.span }
}
