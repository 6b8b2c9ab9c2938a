// Warnings with a place, and what built-ins may know of the call that they answer.

import ActArray
import ActSyntax

extension Machine {
    // MARK: Warnings

    /// Takes what the array library noticed since the last time; each kind warns once a place.
    func drainNumericEvents() throws {
        try checkPendingForms()
        for event in NumericEvents.drain() {
            guard let place = SiteTable.find(event.site) else { continue }
            try warn(kind: UInt32(event.kind.rawValue), event.site) { RuntimeWording(self).numericEvent(event, in: place.code, at: place.instruction) }
        }
    }

    /// Warns that an operation on numbers left the numbers: infinite or NaN from arguments that were neither.
    func noteNumericEvent(_ operation: String, _ result: Double, _ inputs: [Double]) throws {
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
        guard let place = SiteTable.find(site) else { return }
        try warn(kind: UInt32(kind.rawValue), site) {
            RuntimeWording(self).scalarEvent(kind, operation, result, inputs, in: place.code, at: place.instruction)
        }
    }

    func warnStretch(_ operation: String, _ left: [Int], _ right: [Int]) throws {
        // An axis written out as `none` states the intent.
        if let (code, id) = currentOrigin, case .binary(_, let left, let right) = code.unit.tree[id],
           [left, right].contains(where: { code.unit.tree.addsAxis($0) }) { return }
        try warn(kind: 16, currentSite) { RuntimeWording(self).stretch(operation, left, right) }
    }

    func warnVectorTranspose() throws {
        try warn(kind: 17, currentSite) { RuntimeWording(self).vectorTranspose() }
    }

    /// - Throws: the warning as an error when warnings are errors.
    func warn(kind: UInt32, _ site: Site, _ make: () -> Diagnostic) throws {
        guard session.options.warns || session.options.isStrict, recording == nil else { return }
        var diagnostic: Diagnostic
        if session.options.isStrict {
            diagnostic = make()
            diagnostic.level = .error
            throw Fault(diagnostic: diagnostic, kind: .error)
        }
        guard session.warned.insert(Warned(site: site.id, kind: kind)).inserted else { return }
        host?.report(make())
    }

    struct Warned: Hashable {
        let site: UInt32
        let kind: UInt32
    }

    // MARK: The running call

    /// The code and the expression that run now.
    var currentOrigin: (code: Code, expression: ExpressionID)? {
        guard let frame = frames.last, let instruction else { return nil }
        let code = frame.code.takeUnretainedValue()
        return code.origin(of: instruction).map { (code, $0) }
    }

    /// The source text of the arguments of the running call, the value before the point of a method call first.
    func argumentTexts() -> [String] {
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
    var currentSourceName: String { currentOrigin?.code.unit.source.name ?? "" }
}
