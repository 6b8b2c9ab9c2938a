// What surrounds the machine: the one protocol by which it reaches whoever runs it.
//
// What must stay true: the machine hands over data; the host finds the words, and knows where they go.

import ActPlot
import ActSyntax

package protocol MachineHost: AnyObject {
    // MARK: What a program shows

    func write(_ text: String)
    func show(_ value: Value, isResult: Bool) throws
    func report(_ diagnostic: Diagnostic)
    /// Where it can be seen how far something is; `nil` where nobody sees it.
    var progress: ProgressOutput? { get }
    /// What `body` writes and shows, as text, instead of where it goes otherwise.
    func collecting(_ body: () throws -> Void) throws -> String

    // MARK: Words

    /// An error of the running instruction.
    /// - Parameter operands: Of a binary operator, where they are known.
    func diagnostic(for error: Error, operands: (Value, Value)?) -> Diagnostic
    /// - Parameter place: The running instruction if `nil`.
    func diagnostic(for warning: RuntimeWarning, at place: SiteInCode?) -> Diagnostic
    /// An error with a note that it happened in a layer of a network.
    /// - Parameter text: The layer.
    func diagnostic(_ diagnostic: Diagnostic, inLayer text: String, at position: Int) -> Diagnostic

    // MARK: What built-ins ask for

    /// The record of the names of a file, which runs once.
    func importModule(_ file: (bytes: [UInt8], text: String), bytes: [UInt8]) throws -> Value
    /// What is known about a function, and where figures become pictures what is drawn of it; `nil` if there is none of that name.
    func help(on name: String) -> (text: String, picture: Value?)?
    /// Where a NaN, an infinity or a 0 in the value of an expression comes from.
    func explanation(of expression: Closure) throws -> String
    /// Ctrl-C during a training ends the training alone if the answer is true, else the program.
    func endsTrainingOnly() -> Bool
}

/// Where it can be seen how far something is, apart from what a program writes.
package protocol ProgressOutput: AnyObject {
    func writeProgress(_ text: String)
    /// Whether a line can be written over.
    var isProgressMovable: Bool { get }
}

/// What becomes of warnings.
package enum Warnings {
    case off, shown
    /// They end the program.
    case errors
}
