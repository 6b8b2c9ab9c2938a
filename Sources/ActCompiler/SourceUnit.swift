// A text that is compiled, and what the compiler asks about its surroundings.

import ActArray
import ActSyntax

/// The text that code came from, with its tree, kept so that an error can point at operands and name them.
package final class SourceUnit {
    package let source: SourceText
    package let tree: SyntaxTree
    /// What its names mean.
    package let resolution: Resolution
    /// What tree, names and functions take, where somebody counts it.
    package let memory: SourceMemory?
    private lazy var index = FormulaIndex(tree, resolution)

    /// Reads formulas as names are understood in a module.
    package func formulas(in scope: any CompilerScope) -> FormulaReader { FormulaReader(tree: tree, index: index, builtin: scope.builtinName) }

    /// - Parameter memory: Counts what is made of it, and may stop that; the unit is of no use then.
    package init(source: SourceText, tree: SyntaxTree, memory: SourceMemory? = nil) {
        self.source = source
        self.tree = tree
        self.memory = memory
        guard let memory else {
            resolution = Resolution(tree)
            return
        }
        let made = tree.footprint &+ tree.expressions.count &* SourceUnit.bytesOfIndices
        resolution = memory.isStopped(at: made) ? Resolution(SyntaxTree(source: source)) : Resolution(tree) { memory.isStopped(at: made &+ $0) }
    }

    /// For each expression: which symbol it is, what assigns, where formulas are.
    private static let bytesOfIndices = 16
}

/// What the compiler asks about the module that it compiles for.
package protocol CompilerScope: AnyObject {
    /// The slot of a global variable, made when it is new.
    func slot(_ name: String) -> Int
    func existingSlot(_ name: String) -> Int?
    /// What a name means now, and what it means of its own accord; `nil` where that is not a function.
    func function(named name: String) -> (any CompilerFunction)?
    func builtin(named name: String) -> (any CompilerFunction)?
    /// The first name of the built-in function that a name means now, if it means one.
    func builtinName(_ name: String) -> String?
}

/// What the compiler asks about a function that a call by its name will reach.
package protocol CompilerFunction: AnyObject {
    var builtinName: String? { get }
    /// It is given its argument as an expression, not as a value.
    var takesExpression: Bool { get }
    /// It counts in loops, where its array need not be made.
    var isRange: Bool { get }
    /// It makes its first part longer.
    var growth: Growth? { get }
}

/// A built-in function that makes its first part longer: `concat((xs, ys))`, `append(xs, y)`.
package enum Growth: Sendable {
    case concatenation, append
}

/// What `extend` puts at the end.
package enum Extension: Int {
    /// The elements of the value, a list or an array.
    case value
    /// The value, as the only element of a list, or of an array.
    case listOfValue, arrayOfValue
    /// The value, as another element of whatever is there.
    case element

    package var growth: Growth { self == .element ? .append : .concatenation }
}
