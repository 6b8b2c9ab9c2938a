// act inside a Swift program: the one public door. Programs in, values, figures and diagnostics out.
//
// What must stay true: nothing of the targets below appears in a public declaration, so that they can change; whatever a
// program does ends in a value or in an `ActError`.

import ActArray
import ActFiles
import ActLanguage
import ActSyntax

/// A session of act: it keeps variables between programs, as the REPL does between lines.
///
///     let act = try Interpreter()
///     try act.set("x", to: .array(NumericArray([-1.0, 0, 2])))
///     let result = try act.run("relu(x)")
///     result.value          // [0, 0, 2]
///
/// An interpreter computes one thing at a time: calls from several threads wait for each other. Several interpreters may compute at once.
public final class Interpreter {
    /// How programs run.
    public struct Options: Sendable {
        /// The first state of the random numbers; `nil` takes one from the system.
        public var seed: UInt64?
        /// Whether warnings are errors.
        public var isStrict = false
        /// Seconds that one run or call may take; `nil` is no limit.
        public var maximumTime: Double?
        /// The folders below which programs may read and write files; `nil` allows all files, an empty list none.
        public var allowedFolders: [String]?
        /// What programs see as `args`.
        public var arguments: [String] = []

        public init() {}
    }

    /// What a program did.
    public struct Output {
        /// The value of the last statement that showed one; `.none` if none did.
        public fileprivate(set) var value = Value.none
        /// What was printed and shown, as in a script's standard output; figures are drawn with characters.
        public fileprivate(set) var text = ""
        /// The figures that were shown, in order.
        public fileprivate(set) var figures: [Figure] = []
        /// The warnings, each with the place that it is about.
        public fileprivate(set) var warnings: [String] = []
    }

    private let session: Session
    private let collector = Collector()

    /// - Throws: `ActError` when an allowed folder does not exist, or there is no memory for a session.
    public init(_ options: Options = Options()) throws {
        var settings = Session.Options()
        settings.seed = options.seed
        settings.isStrict = options.isStrict
        settings.maximumTime = options.maximumTime
        settings.arguments = options.arguments
        do {
            if let folders = options.allowedFolders { settings.files = try FileDoor(allowing: folders.map { Array($0.utf8) }) }
            session = try Session(options: settings, output: collector)
            collector.interpreter = self
        } catch {
            throw ActError(arrayError: error)
        }
    }

    /// Runs a program. Variables that it assigns stay; when it fails, so do those that it assigned before.
    /// - Parameter name: How messages call the program: a path, for instance.
    /// - Throws: `ActError`, which carries the text that points at the source.
    @discardableResult
    public func run(_ program: String, name: String = "<program>") throws -> Output {
        collector.reset()
        let status = session.run(program, named: name)
        let output = collector.output
        switch status {
        case .done: return output
        case .failed, .exit: throw collector.error(.program)
        case .interrupted: throw collector.error(.interrupted)
        case .limit: throw collector.error(.limit)
        }
    }

    /// A variable of the session; of a name that is not a variable, what it means otherwise: `act["relu"]` is the function. `nil` where it
    /// means nothing.
    public subscript(name: String) -> Value? { session.value(named: name).map { Value($0, in: self) } }

    /// Assigns a variable, as `name = value` does in a program; `nil` forgets it.
    /// - Throws: `ActError` when the value does not fit into memory.
    public func set(_ name: String, to value: Value?) throws { session.module[name] = try value?.core }

    /// Calls a function of the session with values.
    ///
    ///     let slope = try act.call("gelu'", with: .number(0.5))
    ///
    /// - Parameter function: A name, or any expression whose value is a function.
    /// - Throws: `ActError` when there is no such function, and what the function throws.
    public func call(_ function: String, with arguments: Value...) throws -> Value {
        guard case .function(let callee) = try evaluate(function) else {
            let message = "`\(function)` is not a function"
            throw ActError(kind: .program, message: message, rendered: "error: \(message)")
        }
        return try callee(arguments)
    }

    /// The value of an expression.
    /// - Returns: The value that the text shows last; `.none` where it shows none.
    /// - Throws: `ActError`.
    public func evaluate(_ expression: String) throws -> Value { try run(expression, name: "<expression>").value }

    /// Makes a Swift function a built-in function of act.
    ///
    ///     act.register("half", parameters: ["x"], summary: "half of x") { arguments in
    ///         guard case .number(let x) = arguments[0] else { throw ActError("`half` takes a number") }
    ///         return .number(x / 2)
    ///     }
    ///
    /// It is called by position or name and explained by `?half`. Derivatives do not pass through it: what it returns is constant for them.
    /// - Parameters:
    ///   - parameters: Names; one with a default is written `"slope=0.1"`, and left out it arrives as `Value.none`.
    ///   - summary: A phrase for help.
    ///   - body: Runs on the thread that runs the program.
    public func register(
        _ name: String, parameters: [String], summary: String = "a function of the surrounding program",
        _ body: @escaping @Sendable ([Value]) throws -> Value
    ) {
        session.register(name, parameters: parameters, summary: summary) { [unowned self] values in
            do {
                return try body(values.map { Value($0, in: self) }).core
            } catch let error as ActError {
                throw RuntimeError.user(error.message)
            }
        }
    }

    /// Computes with the machine; what goes wrong becomes an `ActError`.
    func compute<T>(_ body: @escaping (Machine) throws -> T) throws -> T {
        do {
            return try session.compute(body)
        } catch let fault as Fault {
            throw ActError(fault, session)
        }
    }
}

/// What one run shows.
private final class Collector: SessionOutput {
    weak var interpreter: Interpreter?
    private(set) var output = Interpreter.Output()
    private var errors: [(message: String, rendered: String)] = []

    func reset() {
        output = Interpreter.Output()
        errors = []
    }

    func error(_ kind: ActError.Kind) -> ActError {
        ActError(
            kind: kind, message: errors.first?.message ?? (kind == .interrupted ? "interrupted" : "the program failed"),
            rendered: errors.map(\.rendered).joined(separator: "\n"))
    }

    func write(_ text: String) { output.text += text }

    func show(_ shown: Shown) {
        if let interpreter { output.value = Value(shown.value, in: interpreter) }
        if let figure = shown.figure {
            let figure = Figure(figure)
            output.figures.append(figure)
            output.text += figure.text()
        } else {
            output.text += shown.text
        }
        output.text += "\n"
    }

    func report(_ diagnostic: Diagnostic, _ session: Session) {
        let rendered = DiagnosticRenderer(source: { session.source($0) }).render(diagnostic)
        if diagnostic.level == .error { errors.append((diagnostic.title, rendered)) } else { output.warnings.append(rendered) }
    }
}
