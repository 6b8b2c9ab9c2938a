// Warnings with a place, and what built-ins may know of the call that they answer.

import ActArray
import ActSyntax

extension Machine {
    // MARK: Warnings

    /// Takes what the array library noticed since the last time; each kind warns once a place.
    func drainNumericEvents() throws {
        try checkPendingForms()
        for event in NumericEvents.drain() {
            guard let place = Engine.current.sites.find(event.site) else { continue }
            try warn(event.kind.code, event.site) { RuntimeWording(self).numericEvent(event, in: place.code, at: place.instruction) }
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
        guard let place = Engine.current.sites.find(site) else { return }
        try warn(kind.code, site) {
            RuntimeWording(self).scalarEvent(kind, operation, result, inputs, in: place.code, at: place.instruction)
        }
    }

    func warnStretch(_ operation: String, _ left: [Int], _ right: [Int]) throws {
        // An axis written out as `none` states the intent.
        if let (code, id) = currentOrigin, case .binary(_, let left, let right) = code.unit.tree[id],
           [left, right].contains(where: { code.unit.tree.addsAxis($0) }) { return }
        try warn(.stretchedBothSides, currentSite) { RuntimeWording(self).stretch(operation, left, right) }
    }

    func warnVectorTranspose() throws {
        try warn(.transposeOfVector, currentSite) { RuntimeWording(self).vectorTranspose() }
    }

    /// Warns of what `make` says, once a place and code.
    /// - Parameter subject: tells apart what is warned of with one code at one place.
    /// - Throws: the warning as an error when warnings are errors.
    package func warn(_ code: Diagnostic.Code, subject: Int = 0, _ site: Site, _ make: () -> Diagnostic) throws {
        guard session.options.warns || session.options.isStrict, recording == nil else { return }
        var diagnostic: Diagnostic
        if session.options.isStrict {
            diagnostic = make()
            diagnostic.level = .error
            throw Fault(diagnostic: diagnostic, kind: .error)
        }
        guard session.warned.insert(Warned(site: site.id, code: code, subject: subject)).inserted else { return }
        // Of code that has gone nothing need be remembered.
        if session.warned.count > session.mostWarned {
            session.warned = session.warned.filter { Engine.current.sites.find(Site(id: $0.site)) != nil }
            session.mostWarned = max(1000, session.warned.count * 2)
        }
        host?.report(make())
    }

    /// A warning that has no code of its own yet, told from others at its place by a number.
    func warn(kind: UInt32, _ site: Site, _ make: () -> Diagnostic) throws { try warn(.other, subject: Int(kind), site, make) }

    struct Warned: Hashable {
        let site: UInt32
        let code: Diagnostic.Code
        var subject = 0
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
