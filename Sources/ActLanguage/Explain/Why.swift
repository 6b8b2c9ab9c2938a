// `why(EXPR)`: runs the expression with everything noted, then walks back from what is wrong with its value to the operation that made it.
//
// What must stay true: the program's variables, random numbers and files are as before; what is said was seen in the recording.

import ActArray
import ActCompiler
import ActGrad
import ActMachine
import ActSyntax

/// What can be wrong with an element.
enum Trouble {
    case notANumber, infinite, zero

    func affects(_ x: Double) -> Bool {
        switch self {
        case .notANumber: x.isNaN
        case .infinite: x.isInfinite
        case .zero: x == 0
        }
    }

    var name: String {
        switch self {
        case .notANumber: "nan"
        case .infinite: "infinite"
        case .zero: "0"
        }
    }
}

struct Why {
    private let machine: Machine
    let session: Session

    init(_ machine: Machine, _ session: Session) {
        self.machine = machine
        self.session = session
    }

    /// A moment, and the element (in row-major order) that is followed; `nil` in what has no elements.
    struct Point {
        var moment: Moment
        var element: Int?
        var value: Double? { get throws { try element.flatMap { try moment.value.element($0) } ?? moment.value.element(0) } }
    }

    /// Where a search ended.
    struct End {
        let point: Point
        /// The assignments that handed the value on, the last first.
        var path: [Moment]
        /// The variable that brought it, where nothing is known of how it got it.
        var unknown: String?
        var isChanged = false
        /// More happened than a recording keeps.
        var isForgotten = false
    }

    /// What `why` writes about an expression, which is the body of `function`.
    func explain(_ function: Closure) throws -> String {
        let recording = Recording()
        var value = Value.none
        try machine.record(into: recording) {
            value = try machine.call(function, Arguments([]))
        }
        let text = function.code.unit.tree.text(of: function.code.definition?.node.body ?? ExpressionID(index: 0))
        guard let last = recording.range.last else { return try healthy(text, value) }
        let start = Moment(recording: recording, position: last, entry: nil)
        guard let (trouble, element) = try worst(value) else { return try healthy(text, value) }
        var report: [Diagnostic] = []
        try follow(Point(moment: start, element: element), trouble, subject(text, value, trouble, element), &report)
        let renderer = DiagnosticRenderer { session.source($0) }
        return report.map(renderer.render).joined()
    }

    // MARK: What is wrong

    private func worst(_ value: Value) throws -> (Trouble, Int?)? {
        for trouble in [Trouble.notANumber, .infinite, .zero] {
            if let hit = try value.first(trouble.affects) { return (trouble, hit.element) }
        }
        return nil
    }

    private func healthy(_ text: String, _ value: Value) throws -> String {
        if case .array(let array) = value, array.count > 0 {
            let elements = try array.toDoubles(), low = elements.min() ?? 0, high = elements.max() ?? 0
            return
                "nothing is wrong with `\(text)`: \(array.count) elements from \(Format.number(low)) to \(Format.number(high)), none of them nan, infinite or 0\n"
        }
        if case .number(let number) = value { return "nothing is wrong with `\(text)`: it is \(Format.number(number))\n" }
        return "nothing is wrong with `\(text)`: there is no nan, no infinity and no 0 in it\n"
    }

    func subject(_ text: String, _ value: Value, _ trouble: Trouble, _ element: Int?) -> String {
        let text = text.contains(where: \.isNewline) ? "it" : "`\(text)`"
        guard case .array(let array) = value, array.rank > 0, let element else { return "\(text) is \(trouble.name)" }
        return "\(text) is \(trouble.name) at position \(position(element, array.shape))"
    }

    /// Of rank 1 a number, else as an index is written.
    func position(_ element: Int, _ shape: [Int]) -> String {
        var rest = element
        var indices: [Int] = []
        for size in shape.reversed() {
            indices.insert(size > 0 ? rest % size : 0, at: 0)
            rest /= max(size, 1)
        }
        return indices.count == 1 ? "\(indices[0])" : "[\(indices.map(String.init).joined(separator: ", "))]"
    }

    // MARK: The search

    /// Finds the operation, says it, and goes on with the operand that led to it.
    private func follow(_ start: Point, _ trouble: Trouble, _ subject: String, _ report: inout [Diagnostic]) throws {
        let end = try origin(of: start, trouble)
        if end.unknown == nil, !end.isForgotten, let gradient = try gradientEnd(end, trouble, subject) {
            report.append(gradient)
            return
        }
        report.append(try describe(end, trouble, subject))
        guard report.count < 4, end.unknown == nil, !end.isForgotten, let (next, cause) = try cause(of: end.point, trouble) else { return }
        if isWritten(next.moment) { return }
        let text = next.moment.tree.text(of: next.moment.expression)
        try follow(next, cause, Self.subject(text, cause), &report)
    }

    static func subject(_ text: String, _ trouble: Trouble) -> String { "`\(text)` is \(trouble.name)" }

    /// Walks back as long as an operand, or what a name stands for, has the same trouble.
    private func origin(of start: Point, _ trouble: Trouble) throws -> End {
        var end = End(point: start, path: [])
        for _ in 0..<100_000 {
            try Interrupt.check()
            let point = end.point
            switch point.moment.source {
            case .moments(let moments):
                let next = try inside(moments, of: point, trouble, isSame: true)
                guard let next else {
                    // A part was changed by an operation on it.
                    if moments.count > 1, let last = moments.first { return End(point: Point(moment: last, element: nil), path: end.path) }
                    return end
                }
                if case .assign = point.moment.tree[point.moment.expression] { end.path.append(point.moment) }
                end = End(point: next, path: end.path)
            case .global(let name):
                if point.moment.recording.range.lowerBound > 0 {
                    end.isForgotten = true
                    return end
                }
                guard point.moment.code.module === session.module, let replay = try session.replay(name, before: point.moment.entry, machine) else {
                    // `nan` and `inf` are as good as written.
                    if session.builtins.value(named: name) == nil { end.unknown = name }
                    return end
                }
                let moments = settings(of: name, in: replay)
                guard replay.isSame, let last = moments.first else {
                    end.unknown = name
                    end.isChanged = true
                    return end
                }
                guard let next = try inside(moments, of: point, trouble, isSame: true) else {
                    return End(point: Point(moment: last, element: nil), path: end.path)
                }
                end = End(point: next, path: end.path)
            case .own:
                guard let next = try guilty(point, trouble) else {
                    end.isForgotten = point.moment.isForgotten
                    return end
                }
                end = End(point: next, path: end.path)
            }
        }
        end.isForgotten = true
        return end
    }

    /// The moments of a replay at which the variable got its value, the last first: parts of it, then the whole.
    private func settings(of name: String, in replay: Replay) -> [Moment] {
        let recording = replay.recording
        let moments = recording.range.reversed().lazy.map { Moment(recording: recording, position: $0, entry: replay.entry) }
        if name == "ans", let last = moments.first(where: { !$0.code.isClosure }) { return [last] }
        var found: [Moment] = []
        for moment in moments where moment.sets(name) {
            found.append(moment)
            if moment.setsWhole { break }
        }
        return found
    }

    /// The operand that has the same trouble where it matters.
    private func guilty(_ point: Point, _ trouble: Trouble) throws -> Point? {
        let moment = point.moment
        let operands = moment.operands
        switch moment.tree[moment.expression] {
        case .binary(let operation, _, _) where operation != .matmul, .update(let operation, _, _):
            let found = try operands.compactMap { try inside($0, of: point, trouble, isSame: true) }
            if trouble == .zero {
                // 1 - 1 is 0 although neither is; of 1 / inf the infinity is to blame.
                if operation == .add || operation == .subtract { return found.count == operands.count ? found.first : nil }
                if operation == .divide { return found.first { $0.moment.position == operands.first?.position } }
            }
            return found.first
        case .unary: return try inside(operands, of: point, trouble, isSame: true)
        case .index:
            guard let base = operands.first else { return nil }
            if let key = operands.dropFirst().first, operands.count == 2, case .number(let index) = key.value, case .array(let array) = base.value,
                let size = array.shape.first, size > 0, index.magnitude < 9e15
            {
                let row = Int(index) < 0 ? Int(index) + size : Int(index)
                let element = row &* (array.count / size) &+ (point.element ?? 0)
                if let x = try base.value.element(element), trouble.affects(x) { return Point(moment: base, element: element) }
            }
            return try inside(base, of: point, trouble, isSame: false)
        case .comparison, .and, .or, .function, .define, .interpolation: return nil
        // A slope of 0 has nothing to do with zeros in the point at which it is taken.
        case .call where trouble == .zero && operands.contains { $0.value.isDerivative }: return nil
        default: return try inside(operands, of: point, trouble, isSame: false)
        }
    }

    /// The first of several moments with an element that has the trouble.
    private func inside(_ moments: [Moment], of point: Point, _ trouble: Trouble, isSame: Bool) throws -> Point? {
        for moment in moments { if let found = try inside(moment, of: point, trouble, isSame: isSame) { return found } }
        return nil
    }

    /// The element of `moment` that has the trouble: the same one as the point's if there is such a thing, else the first.
    /// - Parameter isSame: Only the same one counts.
    private func inside(_ moment: Moment, of point: Point, _ trouble: Trouble, isSame: Bool) throws -> Point? {
        if let element = point.element, let outer = point.moment.value.shape, let shape = moment.value.shape,
            let mapped = Self.element(element, of: outer, in: shape)
        {
            if let x = try moment.value.element(mapped), trouble.affects(x) { return Point(moment: moment, element: mapped) }
            if isSame { return nil }
        }
        return try moment.value.first(trouble.affects).map { Point(moment: moment, element: $0.element) }
    }

    /// Where the element of an array is in an array that is broadcast to it.
    static func element(_ element: Int, of shape: [Int], in inner: [Int]) -> Int? {
        if inner == shape { return element }
        guard inner.count <= shape.count else { return nil }
        var result = 0, stride = 1, rest = element
        for (offset, size) in shape.reversed().enumerated() {
            let index = size > 0 ? rest % size : 0
            rest /= max(size, 1)
            guard offset < inner.count else { continue }
            let own = inner[inner.count - 1 - offset]
            guard own == size || own == 1 else { return nil }
            result += own == 1 ? 0 : index * stride
            stride *= own
        }
        return result
    }

    /// What brought the operation to it, where that is itself worth explaining: an infinity that became NaN, a 0 that was divided by.
    private func cause(of point: Point, _ trouble: Trouble) throws -> (Point, Trouble)? {
        let moment = point.moment
        let operands = moment.operands
        if trouble == .notANumber || trouble == .zero {
            for operand in operands {
                if let next = try inside(operand, of: point, .infinite, isSame: true), try next.element != nil || operand.value.element(0) != nil {
                    return (next, .infinite)
                }
            }
        }
        guard trouble != .zero else { return nil }
        switch moment.tree[moment.expression] {
        case .binary(.divide, _, _): return try operands.last.flatMap { try inside($0, of: point, .zero, isSame: true) }.map { ($0, .zero) }
        case .call: return try operands.last.flatMap { try inside($0, of: point, .zero, isSame: true) }.map { ($0, .zero) }
        default: return nil
        }
    }

    /// Whether an operand is nothing but numbers in the program.
    private func isWritten(_ moment: Moment) -> Bool {
        switch moment.tree[moment.expression] {
        case .number, .array: return true
        case .unary(_, let operand): if case .number = moment.tree[operand] { return true } else { return false }
        case .name(let name):
            // `inf`, or a variable that is one number.
            if case .number? = session.builtins.value(named: moment.tree[name]) { return true }
            guard case .global(let name) = moment.source, case .number = moment.value else { return false }
            return session.log.count == 0 || name.isEmpty
        default: return false
        }
    }

    // MARK: Derivatives

    /// Of a derivative: the operation at which what flows back became 0 or NaN.
    private func gradientEnd(_ end: End, _ trouble: Trouble, _ subject: String) throws -> Diagnostic? {
        let moment = end.point.moment
        guard trouble != .infinite, case .own = moment.source, let run = moment.calls.first, let result = moment.result(of: run),
            case .array(let output) = result.value, output.isTraced
        else { return nil }
        /// Whether what flows back to here has the trouble.
        func isAffected(_ moment: Moment) throws -> Bool? {
            guard case .array(let array) = moment.value, array.isTraced else { return nil }
            guard let reached = try Derivative.pullback(of: output, to: [array])[0] else { return nil }
            let elements = try reached.toDoubles()
            if trouble == .notANumber { return elements.contains(where: \.isNaN) }
            if let element = end.point.element, end.point.moment.value.shape == array.shape, elements.indices.contains(element) {
                return elements[element] == 0
            }
            return elements.allSatisfy { $0 == 0 }
        }
        var pending = [result]
        var seen: Set<Int> = []
        // Where it is not affected yet but an operand is. What reaches a variable is a sum over all its uses: the earliest
        // operation is the one whose own derivative does it.
        var found: (moment: Moment, operand: Moment)?
        while let next = pending.popLast() {
            guard seen.count < 2000, seen.insert(next.position).inserted else { continue }
            let inner: [Moment] =
                switch next.source {
                case .moments(let moments): moments
                case .own: next.operands
                case .global: []
                }
            for operand in inner {
                guard let isBad = try isAffected(operand) else { continue }
                if isBad, case .own = next.source {
                    if found.map({ $0.moment.position > next.position }) ?? true { found = (next, operand) }
                } else {
                    pending.append(operand)
                }
            }
        }
        return try found.map { try describe(gradient: $0.moment, $0.operand, end, trouble, subject) }
    }

    func describe(gradient moment: Moment, _ operand: Moment, _ end: End, _ trouble: Trouble, _ subject: String) throws -> Diagnostic {
        let tree = moment.tree
        var labels = [Diagnostic.Label(tree.operatorSpan(of: moment.expression), "", isPrimary: true)]
        if case .call = tree[moment.expression] { labels[0].span = tree.span(of: moment.expression) }
        labels[0].text = "its derivative in `\(tree.text(of: operand.expression))` is \(trouble == .zero ? "0" : "nan") here"
        labels.append(
            Diagnostic.Label(
                tree.span(of: operand.expression), try describe(operand.value, end.point.moment.value.shape == operand.value.shape ? end.point.element : nil)))
        return Diagnostic(
            .explanation, "\(subject), because of the derivative of `\(short(tree.text(of: moment.expression)))`", labels: labels,
            notes: notes(end), callChain: moment.callChain)
    }
}
