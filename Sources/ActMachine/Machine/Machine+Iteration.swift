// Loops and unpacking. The state of a loop is four registers: of a range, start, step, position and count as numbers; of anything
// else the iterable, none, the position and the count.

import ActArray

extension Machine {
    func startIteration(_ state: Registers) throws {
        let value = state.pointee
        let count: Int
        switch value {
        case .array(let array) where array.rank > 0: count = array.shape[0]
        case .list(let list): count = list.elements.count
        case .record(let record): count = record.fields.count
        case .string(let text) where text.isBytes && text.origins.isEmpty: count = try text.count()
        case .string(let text):
            // Characters are found once, not counted from the start for each.
            let characters = try strings(of: text)
            count = characters.elements.count
            state.pointee = .list(characters)
        case .function(let function):
            guard let parts = try function.elements else { throw RuntimeError.notIterable(value) }
            count = parts.count
            state.pointee = try .list(parts)
        default: throw RuntimeError.notIterable(value)
        }
        state[1] = .none
        state[2] = .number(0)
        state[3] = .number(Double(count))
    }

    func startRangeIteration(_ state: Registers, argumentCount: Int) throws {
        var numbers: [Double] = []
        for index in 1...argumentCount {
            guard case .number(let number) = state[index] else { break }
            numbers.append(number)
        }
        guard numbers.count == argumentCount, case .function(let function) = state.pointee, function.isRange else {
            guard case .function(let function) = state.pointee else { throw RuntimeError.notCallable(state.pointee) }
            state.pointee = try call(function, Arguments(takeAll(state + 1, argumentCount)))
            return try startIteration(state)
        }
        let start = argumentCount == 1 ? 0 : numbers[0]
        let stop = argumentCount == 1 ? numbers[0] : numbers[1]
        let step = argumentCount == 3 ? numbers[2] : 1
        let count = try NDArray.rangeCount(start: start, stop: stop, step: step)
        state.pointee = .number(start)
        state[1] = .number(step)
        state[2] = .number(0)
        state[3] = .number(Double(count))
    }

    /// The next element, or `nil` at the end.
    func nextElement(_ state: Registers) throws -> Value? {
        guard case .number(let position) = state[2], case .number(let count) = state[3], position < count else { return nil }
        let index = Int(position)
        state[2] = .number(position + 1)
        switch state.pointee {
        case .array(let array): return try element(of: array, at: index)
        case .list(let list): return index < list.elements.count ? list.elements[index] : nil
        case .record(let record): return .string(record.fields.keys[index])
        case .string(let text):
            self.state.pointee.letters = Text.letters
            return text.letter(at: position)
        default: return nil
        }
    }

    /// Element `index` along the first axis.
    func element(of array: NDArray, at index: Int) throws -> Value {
        if array.rank == 1 && !array.isTraced {
            let element = try array.element(at: index)
            return array.type == .bool ? .bool(element != 0) : .number(element)
        }
        return try Value(array.indexed(by: [.integer(index)]))
    }

    /// All elements of something that can be iterated, or `nil`.
    package func elements(of value: Value) throws -> [Value]? {
        switch value {
        case .list(let list): return list.elements
        case .array(let array) where array.rank > 0:
            let count = array.shape[0]
            try checkElements(array)
            return try (0..<count).map { index in
                if index & 0xfff == 0 { try Interrupt.check() }
                return try element(of: array, at: index)
            }
        case .string(let text):
            return try strings(of: text).elements
        case .record(let record): return record.fields.keys.map { .string($0) }
        case .function(let function): return try function.elements
        default: return nil
        }
    }

    /// Calls `body` with each element of something that can be iterated.
    /// - Returns: Whether it can be.
    package func forEachElement(of value: Value, _ body: (Value) throws -> Void) throws -> Bool {
        guard case .array(let array) = value, array.rank > 0 else {
            guard let elements = try elements(of: value) else { return false }
            for element in elements { try body(element) }
            return true
        }
        let isDone: Void? = try withNumbers(of: value) { numbers in
            try Interrupt.forEachPiece(numbers.count, of: 1 << 12) { for index in $0 { try body(.number(numbers[index])) } }
        }
        if isDone != nil { return true }
        try checkElements(array)
        for index in 0..<array.shape[0] {
            if index & 0xfff == 0 { try Interrupt.check() }
            try body(element(of: array, at: index))
        }
        return true
    }

    /// What `body` makes of the elements of a vector of numbers that no derivative follows; `nil` where there is none.
    package func withNumbers<Result>(of value: Value, _ body: (UnsafeBufferPointer<Double>) throws -> Result) throws -> Result? {
        guard case .array(let array) = value, array.node.length > 0, array.type == .f64 else { return nil }
        try checkElements(array)
        try array.evaluate()
        guard let numbers = array.node.elements?.assumingMemoryBound(to: Double.self) else { return nil }
        return try withExtendedLifetime(array) { try body(UnsafeBufferPointer(start: numbers, count: array.count)) }
    }

    /// A view can be far longer than memory.
    private func checkElements(_ array: NDArray) throws {
        try Memory.check(for: min(array.shape[0], 1 << 50) &* (array.rank == 1 ? 16 : 256))
    }

    private func strings(of text: Text) throws -> List {
        let list = try List([])
        for character in text.string {
            if list.elements.count & 0xfff == 0 { try Interrupt.check() }
            // Letters that every text has are not made anew each time.
            if let byte = character.asciiValue, character != "\r\n", text.origins.isEmpty {
                try list.append(Text.letters[Int(byte)])
            } else {
                try list.append(.string(Text(counting: String(character), origins: text.origins)))
            }
        }
        return list
    }

    func unpack(_ value: Value, into first: Registers, count: Int) throws {
        if case .array(let array) = value, array.rank > 0, array.shape[0] != count {
            throw RuntimeError.unpackCount(expected: count, found: array.shape[0])
        }
        guard let elements = try elements(of: value) else { throw RuntimeError.unpackCount(expected: count, found: 1) }
        guard elements.count == count else { throw RuntimeError.unpackCount(expected: count, found: elements.count) }
        for (offset, element) in elements.enumerated() { first[offset] = element }
    }
}
