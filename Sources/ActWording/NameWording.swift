// Names and arguments that are wrong, in words: the same whether a check finds them or the program meets them when it runs.

import ActMachine
import ActSyntax

package enum NameWording {
    /// A name that means nothing.
    package struct Unknown {
        package let title: Message
        package var help: Message?
        /// What to put in the place of the name.
        package var replacement: String?
        /// Whether it takes the place of the field after the name too, as `exp` does of `np.exp`.
        package var takesField = false
        /// What may have been meant, where that is one of several.
        package var alternatives: [String] = []
    }

    /// - Parameters:
    ///   - field: What stands after a point behind the name.
    ///   - names: Those that may have been meant.
    package static func unknown(_ name: String, field: String?, isCalled: Bool, among names: @autoclosure () -> [String]) -> Unknown {
        var words = Unknown(title: "`\(name)` is not defined")
        if let advice = foreignAdvice(unknownName: name, field: field, isCalled: isCalled, in: .builtins) {
            words.help = Message(advice.help)
            words.replacement = advice.replacement
            words.takesField = field != nil
            return words
        }
        let near = suggest(name, among: names())
        if !near.isEmpty { words.help = "did you mean \(near.map { "`\($0)`" }.joined(separator: " or "))?" }
        if near.count == 1 { words.replacement = near[0] } else { words.alternatives = near }
        return words
    }

    package typealias Words = (title: Message, help: Message?)

    /// - Parameter callee: The function as the program calls it, in quotes.
    package static func missingArgument(_ name: String, of callee: String, signature: String?) -> Words {
        ("\(callee) needs the argument `\(name)`", signature.map { "its signature is `\($0)`" })
    }

    package static func tooManyArguments(_ given: Int, of callee: String, takes count: Int, signature: String) -> Words {
        ("\(callee) takes \(count) argument\(count == 1 ? "" : "s"), not \(given)", "its signature is `\(signature)`")
    }

    package static func unknownArgument(_ name: String, of function: String, among names: [String], signature: String) -> (words: Words, near: String?) {
        if let spelling = foreignArguments[name], names.contains(spelling) {
            return (("`\(function)` has no argument `\(name)`", "write `\(spelling)`"), spelling)
        }
        let near = suggest(name, among: names)
        return (
            ("`\(function)` has no argument `\(name)`", near.first.map { "did you mean `\($0)`?" } ?? "its signature is `\(signature)`"),
            near.count == 1 ? near[0] : nil
        )
    }

    package static func argumentTwice(_ name: String, of function: String) -> Words { ("`\(function)` is given `\(name)` twice", nil) }
}
