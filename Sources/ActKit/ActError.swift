// Why a program or a call did not end well.

import ActArray
import ActFiles
import ActLanguage
import ActSyntax
import ActWording

/// An error of a program, or of what a Swift program asked for.
public struct ActError: Error, CustomStringConvertible {
    public enum Kind: Equatable, Sendable {
        /// The program is wrong, or met an error while it ran.
        case program
        /// Ctrl-C.
        case interrupted
        /// A limit of time or memory was reached.
        case limit
    }

    public let kind: Kind
    /// What was wrong, in one line.
    public let message: String
    /// The message with the source, marks beneath the places that it is about, and what to do: as act prints errors.
    public let rendered: String

    public var description: String { rendered.isEmpty ? message : rendered }

    /// An error for a registered function to throw: the program that called it sees this message at the call.
    public init(_ message: String) { self.init(kind: .program, message: message, rendered: "error: \(message)\n") }

    init(kind: Kind, message: String, rendered: String) {
        self.kind = kind
        self.message = message
        self.rendered = rendered
    }

    init(_ fault: Fault, _ session: Session) {
        let kind: Kind =
            switch fault.kind {
            case .error, .exit: .program
            case .interrupted: .interrupted
            case .limit: .limit
            }
        let renderer = DiagnosticRenderer { session.source($0) }
        self.init(kind: kind, message: fault.diagnostic.title, rendered: renderer.render(fault.diagnostic))
    }

    /// What making or reading an array, or beginning a session, can meet.
    init(arrayError error: Error) {
        switch error {
        case ArrayError.interrupted: self.init(kind: .interrupted, message: "interrupted", rendered: "error: interrupted\n")
        case ArrayError.outOfMemory(let bytes, _):
            let message = "an array of \(bytes) bytes does not fit into the memory that act may use"
            self.init(kind: .limit, message: message, rendered: "error: \(message)\n")
        case ArrayError.cannotReshape(let found, let shape):
            self.init("\(found.reduce(1, *)) elements cannot have the shape \(describe(shape))")
        case let error as FileError: self.init("`\(error.path)`: \(error.fault.words)")
        default: self.init(ActWording.message(about: error))
        }
    }
}
