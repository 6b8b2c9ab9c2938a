// What the machine says to its host, and what built-ins may know of the call that they answer.

import ActArray
import ActCompiler
import ActSyntax

extension Machine {
    // MARK: Warnings

    /// Takes what the array library noticed since the last time; each kind warns once a place.
    package func drainNumericEvents() throws {
        try checkPendingForms()
        for event in NumericEvents.drain() {
            guard let place = Engine.current.sites.find(event.site) else { continue }
            try warn(.numbers(event), at: SiteInCode(code: place.code, instruction: place.instruction, site: event.site))
        }
    }

    /// Warns that an operation on numbers left the numbers: infinite or NaN from arguments that were neither.
    package func noteNumericEvent(_ operation: String, _ result: Double, _ inputs: [Double]) throws {
        let kind: NumericEvent.Kind
        if result.isNaN {
            guard !inputs.contains(where: \.isNaN) else { return }
            kind = .invalid
        } else {
            guard result.isInfinite, inputs.allSatisfy(\.isFinite) else { return }
            let isPole = ["/", "//", "%"].contains(operation) ? inputs.last == 0 : inputs.first == 0 || operation == "log1p" || operation == "atanh"
            kind = isPole ? .divideByZero : .overflow
        }
        let site = currentSite
        guard let place = Engine.current.sites.find(site) else { return }
        try warn(
            .number(kind, operation: operation, result: result, inputs: inputs), at: SiteInCode(code: place.code, instruction: place.instruction, site: site))
    }

    package func warnStretch(_ operation: String, _ left: [Int], _ right: [Int]) throws {
        // An axis written out as `none` states the intent.
        if let (code, id) = currentOrigin, case .binary(_, let left, let right) = code.unit.tree[id],
            [left, right].contains(where: { code.unit.tree.addsAxis($0) })
        {
            return
        }
        try warn(.stretchedBothSides(operation, left, right))
    }

    func warnVectorTranspose() throws {
        try warn(.transposeOfVector)
    }

    /// Whether anything is warned of now.
    var warns: Bool { warnings != .off && recording == nil }

    /// Warns once a place and code.
    /// - Parameters:
    ///   - place: The running instruction if left out.
    ///   - subject: tells apart what is warned of with one code at one place.
    /// - Throws: the warning as an error when warnings are errors.
    package func warn(_ warning: RuntimeWarning, at place: SiteInCode? = nil, subject: Int = 0) throws {
        guard warns else { return }
        if let run = AbstractRun.current { return run.spoil() }
        if warnings == .errors {
            var diagnostic = host.diagnostic(for: warning, at: place)
            diagnostic.level = .error
            throw Fault(diagnostic: diagnostic, kind: .error)
        }
        guard warned.insert(WarnedPlaces.Key(site: (place?.site ?? currentSite).id, code: warning.code, subject: subject)) else { return }
        host.report(host.diagnostic(for: warning, at: place))
    }

    /// Forgets what has been warned of.
    package func forgetWarnings() { warned = WarnedPlaces() }

    // MARK: The running call

    /// The running instruction.
    package var currentPlace: SiteInCode? {
        let site = currentSite
        return Engine.current.sites.find(site).map { SiteInCode(code: $0.code, instruction: $0.instruction, site: site) }
    }

    /// The code and the expression that run now.
    package var currentOrigin: (code: Code, expression: ExpressionID)? {
        guard let frame = frames.last, let instruction else { return nil }
        let code = frame.code.takeUnretainedValue()
        return code.origin(of: instruction).map { (code, $0) }
    }

    /// The code of the outermost level and the expression of it that runs now.
    package var outermostOrigin: (code: Code, expression: ExpressionID)? {
        guard let outermost = frames.first else { return nil }
        guard frames.count > 1 else { return currentOrigin }
        let code = outermost.code.takeUnretainedValue()
        return frames[1].callSite.flatMap { code.origin(of: $0) }.map { (code, $0) }
    }

    /// The source text of the arguments of the running call, the value before the point of a method call first.
    package func argumentTexts() -> [String] {
        guard let (code, expression) = currentOrigin else { return [] }
        let tree = code.unit.tree
        switch tree[expression] {
        case .call(let callee, let arguments):
            var texts = tree[arguments].map { tree.text(of: $0.value) }
            if case .field(let object, _) = tree[callee] { texts.insert(tree.text(of: object), at: 0) }
            return texts
        case .pipe(let argument, _): return [tree.text(of: argument)]
        default: return []
        }
    }

    /// The name of the source that is running: a path, or what stands for one.
    package var currentSourceName: String { currentOrigin?.code.unit.source.name ?? "" }
}

extension Machine {
    /// Writes what `print` and its like write; nothing while an explanation runs the program again.
    /// - Throws: `ArrayError.noGraph` while a graph is taken, which has no place for it.
    package func write(_ text: String) throws {
        if try hasEffects() { host.write(text) }
    }

    /// Shows a value because a function was asked to.
    package func show(_ value: Value) throws {
        if try hasEffects() { try host.show(value, isResult: false) }
    }

    /// Whether what runs is to be seen outside: neither an explanation runs the program again, nor is a function run for its operations alone, whose
    /// replay would lack the effect.
    /// - Throws: `ArrayError.noGraph` while a graph is taken.
    package func hasEffects() throws -> Bool {
        try NDArray.refuse(.output)
        AbstractRun.current?.spoil()
        return recording == nil && AbstractRun.current == nil
    }
}
